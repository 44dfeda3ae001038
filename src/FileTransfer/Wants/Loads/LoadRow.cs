namespace FileTransfer.Wants.Loads;

/// <summary>A row of <c>filetransfer.loads</c>. Its times are of the database's clock, as <c>Now</c> is.</summary>
internal sealed record LoadRow(
    long LoadId,
    string Name,
    ByteString Digest,
    int Files,
    long Sequence,
    short Priority,
    short Rank,
    int? Rounds,
    TimeSpan Pause,
    TimeSpan Allowed,
    DateTimeOffset BegunAt,
    DateTimeOffset Deadline,
    int Round,
    int BegunRound,
    DateTimeOffset RoundAt,
    DateTimeOffset? EndedAt,
    string? Outcome,
    string? Reason,
    string? Report,
    bool Settled,
    DateTimeOffset Now
)
{
    /// <summary>An interval of months, which this program does not write, is no time span.</summary>
    private const string PauseSql = "make_interval(secs => least(extract(epoch FROM pause), 1e9)::double precision) AS pause";

    private const string AllowedSql =
        "make_interval(secs => least(extract(epoch FROM allowed), 1e9)::double precision) AS allowed";

    public const string Columns = $"""
        load_id, name, digest, files, sequence, priority, rank, rounds, {PauseSql}, {AllowedSql}, begun_at, deadline, round, begun_round, round_at,
        ended_at, outcome, reason, report, settled, clock_timestamp() AS now
        """;

    public TimeSpan Remaining => Deadline - Now;

    public bool HasRoundBegun => RoundAt <= Now;

    /// <summary>Whether an order asks for no other files, in no other way.</summary>
    public bool IsSame(LoadOrder order) =>
        HasSameFiles(order)
        && Allowed == order.Allowed
        && Rounds == order.Rounds
        && Pause == order.Pause
        && Priority == order.Priority;

    /// <summary>A set that is numbered lower than this one, or as this one and is another.</summary>
    public bool MakesStale(LoadOrder order) =>
        order.Sequence is { } given && (given < Sequence || (given == Sequence && !HasSameFiles(order)));

    private bool HasSameFiles(LoadOrder order) => Digest.Span.SequenceEqual(order.Digest);
}

/// <summary>How far a load is.</summary>
/// <param name="InVain">Of those that are not stored: how many could not be had in this round.</param>
/// <param name="Moving">How many of these a source is sending now.</param>
/// <param name="Unready">How many are to be claimed or wanted, or their metadata asked for.</param>
internal sealed record LoadProgress(
    int Stored,
    int Unknown,
    int Removed,
    int InVain,
    int Moving,
    int Unready,
    long Bytes,
    long BytesProven
);

/// <summary>What is to be done with a load that runs.</summary>
internal enum LoadStep
{
    Wait,
    NextRound,
    Store,
    Fail,
}

internal static class LoadSteps
{
    /// <summary>A round ends when every file that is not stored was tried in vain, and none is just coming.</summary>
    public static LoadStep Of(LoadRow load, LoadProgress progress) =>
        progress.Stored == load.Files ? LoadStep.Store
        : progress.Removed > 0 || load.Remaining <= TimeSpan.Zero ? LoadStep.Fail
        : load.BegunRound < load.Round || progress.Stored + progress.InVain < load.Files || progress.Moving > 0 ? LoadStep.Wait
        : load.Rounds is { } rounds && load.Round >= rounds ? LoadStep.Fail
        : LoadStep.NextRound;

    /// <summary>Why it fails.</summary>
    public static string ReasonOf(LoadRow load, LoadProgress progress, MissingLabel first)
    {
        var missing = load.Files - progress.Stored;
        var when =
            progress.Removed > 0 ? "a file of it was removed"
            : load.Remaining <= TimeSpan.Zero ? $"its deadline passed in round {load.Round}"
            : $"its {(load.Round == 1 ? "only round" : $"{load.Round} rounds")} failed";
        return $"{when}; {missing} of {load.Files} files are not here, such as '{first.Label}' ({first.Key}), which is {first.State}"
            + (first.Reason is null ? "" : $": {first.Reason}");
    }
}
