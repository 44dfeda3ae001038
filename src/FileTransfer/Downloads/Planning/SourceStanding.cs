using FileTransfer.Identity;

namespace FileTransfer.Downloads.Planning;

/// <summary>Where a source stands with this node, over all files, for a person. Times are from now.</summary>
/// <param name="Condition">Whether it answers.</param>
/// <param name="Reason">Why it is away, is left alone or is asked last.</param>
/// <param name="For">For how long that is so.</param>
/// <param name="AskedAgainIn">When that ends.</param>
/// <param name="IsPaused">It asked to be left alone.</param>
/// <param name="IsShunned">It is asked last, for every file: it sent wrong bytes of several.</param>
/// <param name="BlamedFiles">Files of which it sent wrong bytes lately.</param>
/// <param name="FileRest">How long the file that was asked about asks others first; nothing where it was not blamed for that file.</param>
/// <param name="BytesPerSecond">Its measured rate; null when too little came.</param>
public sealed record SourceStanding(
    SourceId Id,
    SourceCondition Condition,
    string? Reason,
    TimeSpan? For,
    TimeSpan? AskedAgainIn,
    bool IsPaused,
    bool IsShunned,
    int BlamedFiles,
    TimeSpan FileRest,
    int Requests,
    double? BytesPerSecond
);

// Of all sources that are known.
public sealed partial class DownloadPlanner
{
    /// <summary>Where the known sources stand; for one file in particular, where it is named.</summary>
    public IReadOnlyList<SourceStanding> Standings(TimeSpan now, FileKey? file = null) =>
        [
            .. _sources
                .Values.Select(source => Standing(source, now, file))
                .OrderBy(standing => standing.Id.Value, StringComparer.Ordinal),
        ];

    private SourceStanding Standing(SourceState source, TimeSpan now, FileKey? file)
    {
        var blame = source.Blame;
        var isShunned = blame?.IsShunned(now) == true;
        var isPaused = source.PausedUntil > now;
        var isAway = source.Condition == SourceCondition.Away;
        var until =
            isShunned ? blame!.ShunnedUntil
            : isPaused ? source.PausedUntil
            : isAway ? source.Until
            : now;
        TimeSpan? since =
            isShunned ? blame!.ShunnedSince
            : isPaused ? source.PutOffSince
            : source.AwaySince;
        return new SourceStanding(
            source.Id,
            source.Condition,
            isShunned ? blame!.Reason
                : isPaused ? source.PauseReason
                : source.Reason ?? blame?.Reason,
            since is { } from ? now - from : null,
            until > now ? until - now : null,
            isPaused,
            isShunned,
            blame?.FilesAt(now, _limits) ?? 0,
            file is { } key ? blame?.RestOf(key, now) ?? TimeSpan.Zero : TimeSpan.Zero,
            source.InFlight.Count,
            source.Rate.At(now)
        );
    }
}
