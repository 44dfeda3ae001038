using FileTransfer.Downloads.Progress;

namespace FileTransfer.Wants.Loads;

/// <summary>Describes loads to their callers.</summary>
internal sealed class LoadReports(
    LoadTable table,
    DownloadEvents events,
    SourceAttemptHistory history,
    Database database,
    NodeId here
)
{
    /// <param name="withLabels">All of its labels with their keys.</param>
    public async Task<LoadResource> DescribeAsync(LoadRow load, bool withLabels, CancellationToken cancellationToken)
    {
        var progress = await table.ProgressAsync(load, events.UnderWay(), cancellationToken);
        var missing =
            load.Report is { } report ? Read(load, report)
            : load.EndedAt is null && progress.Stored < load.Files ? await MissingAsync(load, cancellationToken)
            : [];
        return await DescribeAsync(load, progress, missing, withLabels, cancellationToken);
    }

    /// <summary>How far a load is that has been counted already.</summary>
    public Task<LoadResource> DescribeAsync(LoadRow load, LoadProgress progress, CancellationToken cancellationToken) =>
        DescribeAsync(load, progress, missing: [], withLabels: false, cancellationToken);

    private async Task<LoadResource> DescribeAsync(
        LoadRow load,
        LoadProgress progress,
        IReadOnlyList<MissingLabel> missing,
        bool withLabels,
        CancellationToken cancellationToken
    )
    {
        var labels = withLabels
            ? (await table.LabelsAsync(load, cancellationToken)).ToDictionary(one => one.Label, one => one.Key.ToString())
            : null;
        return new LoadResource(
            load.Name,
            here.Value,
            load.LoadId,
            load.Sequence,
            load.Outcome ?? LoadResource.Running,
            load.BegunAt,
            load.Deadline,
            load.EndedAt,
            load.Round,
            load.Rounds,
            load.RoundAt,
            load.Priority,
            load.Files,
            progress.Stored,
            progress.Unknown,
            progress.InVain,
            progress.Bytes,
            progress.BytesProven,
            load.Reason,
            SaysOf(load, progress),
            missing,
            await table.SourcesAsync(load, cancellationToken),
            labels
        );
    }

    /// <summary>The first files that are not stored, with what their sources said last.</summary>
    public async Task<IReadOnlyList<MissingLabel>> MissingAsync(LoadRow load, CancellationToken cancellationToken) =>
        [
            .. (await table.MissingAsync(load, cancellationToken)).Select(one => new MissingLabel(
                one.Label,
                one.Key.ToString(),
                one.State,
                one.Reason,
                [.. history.Of(one.Key).Select(trial => new SourceAnswer(trial.Source, trial.Outcome, trial.At))]
            )),
        ];

    public static string Write(IReadOnlyList<MissingLabel> missing) =>
        JsonSerializer.Serialize(missing, WireJson.Default.IReadOnlyListMissingLabel);

    private IReadOnlyList<MissingLabel> Read(LoadRow load, string report)
    {
        try
        {
            return JsonSerializer.Deserialize(report, WireJson.Default.IReadOnlyListMissingLabel) ?? [];
        }
        catch (JsonException)
        {
            database.FaultyRows.Tell("loads", $"{load.LoadId}", "its report is none, and left out");
            return [];
        }
    }

    private static string SaysOf(LoadRow load, LoadProgress progress) =>
        load.Outcome switch
        {
            "stored" => $"All {load.Files} files are stored.",
            "failed" => $"It has failed: {load.Reason}.",
            "withdrawn" => $"It was withdrawn with {progress.Stored} of {load.Files} files stored.",
            "replaced" => "A newer load has its name.",
            _ when load.Remaining <= TimeSpan.Zero => "Its deadline has passed; it is being ended.",
            _ when !load.HasRoundBegun =>
                $"Round {load.Round - 1} ended with {load.Files - progress.Stored} of {load.Files} files missing; the next begins in {(load.RoundAt - load.Now).TotalSeconds:0.#} s.",
            _ => $"{progress.Stored} of {load.Files} files are stored"
                + (progress.Unknown > 0 ? $", the metadata of {progress.Unknown} is not known yet" : "")
                + $"; it has {load.Remaining.TotalSeconds:0} s left.",
        };
}
