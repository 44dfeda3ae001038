namespace FileTransfer.Downloads.Planning;

/// <summary>Where a source stands with this node, over all files, for a person. Times are from now.</summary>
/// <param name="Condition">Whether it answers.</param>
/// <param name="Reason">Why it is unreachable, is left alone or is asked last.</param>
/// <param name="For">For how long that is so.</param>
/// <param name="AskedAgainIn">When that ends.</param>
/// <param name="IsPaused">It asked to be left alone.</param>
/// <param name="IsDemoted">It is asked last, for every file: it sent wrong bytes of several.</param>
/// <param name="Strikes">Files of which it sent wrong bytes lately.</param>
/// <param name="FileBackoff">How long the file that was asked about asks others first; nothing where it was not struck for that file.</param>
/// <param name="BytesPerSecond">Its measured rate; null when too little came.</param>
public sealed record SourceDiagnostics(
    SourceId Id,
    SourceCondition Condition,
    string? Reason,
    TimeSpan? For,
    TimeSpan? AskedAgainIn,
    bool IsPaused,
    bool IsDemoted,
    int Strikes,
    TimeSpan FileBackoff,
    int Requests,
    double? BytesPerSecond
);

// Of all sources that are known.
public sealed partial class DownloadPlanner
{
    /// <summary>Where the known sources stand; for one file in particular, where it is named.</summary>
    public IReadOnlyList<SourceDiagnostics> Diagnostics(TimeSpan now, FileKey? file = null) =>
        [
            .. _sources
                .Values.Select(source => Standing(source, now, file))
                .OrderBy(standing => standing.Id.Value, StringComparer.Ordinal),
        ];

    private SourceDiagnostics Standing(SourceState source, TimeSpan now, FileKey? file)
    {
        var strikes = source.Strikes;
        var isDemoted = strikes?.IsDemoted(now) == true;
        var isPaused = source.PausedUntil > now;
        var isUnreachable = source.Condition == SourceCondition.Unreachable;
        var until =
            isDemoted ? strikes!.DemotedUntil
            : isPaused ? source.PausedUntil
            : isUnreachable ? source.RetryAt
            : now;
        TimeSpan? since =
            isDemoted ? strikes!.DemotedSince
            : isPaused ? source.ThrottledSince
            : source.UnreachableSince;
        return new SourceDiagnostics(
            source.Id,
            source.Condition,
            isDemoted ? strikes!.Reason
                : isPaused ? source.PauseReason
                : source.Reason ?? strikes?.Reason,
            since is { } from ? now - from : null,
            until > now ? until - now : null,
            isPaused,
            isDemoted,
            strikes?.FilesAt(now, _limits) ?? 0,
            file is { } key ? strikes?.BackoffOf(key, now) ?? TimeSpan.Zero : TimeSpan.Zero,
            source.Load.InFlight.Count,
            source.Load.Rate.At(now)
        );
    }
}
