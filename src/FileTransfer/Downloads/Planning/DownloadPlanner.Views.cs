using FileTransfer.Identity;

namespace FileTransfer.Downloads.Planning;

// To look at.
public sealed partial class DownloadPlanner
{
    public PlannerLimits Limits => _limits;

    /// <summary>Files that are wanted and not done.</summary>
    public int Files => _files.Count;

    /// <summary>Requests in flight.</summary>
    public int Requests => _requests.Count;

    /// <summary>What is known of the sources of a wanted file; empty when it is not wanted.</summary>
    public IReadOnlyList<PlannedSource> SourcesOf(FileKey key) =>
        _fileOf.TryGetValue(key, out var file) ? [.. file.Sources.Where(source => source.IsListed).Select(View)] : [];

    private PlannedSource View(FileSource source)
    {
        var until = Longer(
            source.State.Condition == SourceCondition.Away ? source.State.Until : default,
            Longer(source.BusyUntil, source.RestsUntil)
        );
        return new PlannedSource(
            source.State.Id,
            source.Kind,
            source.State.Condition,
            source.Reason ?? source.State.Reason ?? BusyText(source),
            until > _now ? until - _now : null,
            source.State.Rate.At(_now),
            source.InFlight
        );
    }
}
