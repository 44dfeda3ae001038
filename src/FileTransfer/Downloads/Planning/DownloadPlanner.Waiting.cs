using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads.Planning;

// Files for which nothing can be done now leave.
public sealed partial class DownloadPlanner
{
    private const int ReasonsJoined = 4;
    private const int NodesPerPermitWait = 128;
    private const int MostPermitWaits = 10;
    private static readonly TimeSpan _shortestSourceWait = TimeSpan.FromSeconds(2);

    /// <summary>A short back-off, and the probe after it.</summary>
    private TimeSpan LongestLaneWait(FilePlan file) => file.IsShared ? _limits.SharedPatience : 2 * _limits.LanePatience;

    private void EndStuckFiles()
    {
        for (var i = _files.Count - 1; i >= 0; i--)
        {
            var file = _files[i];
            file.WaitsSince = IsProgressing(file) ? null : file.WaitsSince ?? _now;
            if (!IsServed(file) && (file.WaitsSince + LongestLaneWait(file) <= _now || !IsAnyWorthWaitingFor(file)))
            {
                EndStuck(file);
            }
        }
    }

    /// <summary>A shared file that is refused whatever it asks for waits all the while.</summary>
    private bool IsProgressing(FilePlan file) =>
        IsServed(file)
        && (!file.IsShared || file.InFlight.Count == 0 || file.InFlight.Exists(request => request.AnsweredAt is not null));

    /// <summary>Something of it is under way, or only lacks a slot.</summary>
    private bool IsServed(FilePlan file) => file.InFlight.Count > 0 || file.IsRevalidating || CanUseAny(file);

    // Asked of each file whenever anything happens: no closures.
    private bool CanUseAny(FilePlan file)
    {
        foreach (var source in file.Sources)
        {
            if (CanUse(file, source))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsAnyWorthWaitingFor(FilePlan file)
    {
        foreach (var source in file.Sources)
        {
            if (IsWorthWaitingFor(file, source))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Worth it in the lane: in a moment it is free, or has shown whether it answers.</summary>
    private bool IsWorthWaitingFor(FilePlan file, FileSource source)
    {
        if (!source.IsCandidate || source.Failures >= _limits.FailuresPerFile)
        {
            return false;
        }

        var patience = file.IsShared ? _limits.SharedPatience : _limits.LanePatience;
        var free = Longer(Longer(source.BusyUntil, source.RefusedUntil), Longer(source.RetryAt, source.State.PausedUntil));
        return source.State.Condition == SourceCondition.Healthy
            ? (free > _now && free <= _now + patience) || (source.Parts is not null && free <= _now)
            : source.State.MayAnswerSoon(_now, _limits.LanePatience);
    }

    private void EndStuck(FilePlan file)
    {
        var listed = file.Sources.FindAll(source => source is { IsListed: true, Parts: not { HasHashes: false } });
        var candidates = listed.FindAll(source => source.IsCandidate);
        if (candidates.Exists(source => source.IsBusy(_now)))
        {
            Defer(
                file,
                WaitCondition.Permit,
                $"waits for its turn: {JoinReasons(candidates, BusyText)}",
                About(PermitWait(file))
            );
        }
        else if (candidates.Exists(source => source.Parts is not null))
        {
            Defer(
                file,
                WaitCondition.Permit,
                $"waits for what {string.Join(", ", candidates.Where(source => source.Parts is not null).Take(ReasonsJoined).Select(source => source.State.Id))} are about to have",
                About(PermitWait(file))
            );
        }
        else if (candidates.Exists(IsUnreachable))
        {
            DeferUntilSourceAnswers(file, [.. candidates.Where(IsUnreachable)]);
        }
        else if (candidates.FindAll(IsPaused) is { Count: > 0 } paused)
        {
            var left = paused.Min(source => source.State.PausedUntil) - _now;
            Defer(
                file,
                WaitCondition.Time,
                JoinReasons(paused, source => source.State.PauseReason),
                left + (_limits.PermitWait * random.NextDouble())
            );
        }
        else if (listed.TrueForAll(source => source.Loss == SourceLoss.NotFound))
        {
            var reason = listed.Count == 0 ? "no other node has it stored" : JoinReasons(listed, source => source.Reason);
            Defer(file, WaitCondition.Provider, reason, About(_limits.NoSourceWait));
        }
        else if (!file.HasAsked && candidates.Exists(source => source.State.Condition != SourceCondition.Healthy))
        {
            // They failed it before. That says nothing of now, and whoever was not asked cannot have failed it again.
            DeferUntilSourceAnswers(file, candidates.FindAll(source => source.State.Condition != SourceCondition.Healthy));
        }
        else
        {
            EndFailed(file, listed);
        }
    }

    /// <summary>Its sources failed it. One that brought some of it before it sent wrong bytes goes on with the rest, at no cost.</summary>
    private void EndFailed(FilePlan file, List<FileSource> listed)
    {
        var reason = JoinReasons(listed, source => source.Reason ?? source.State.Reason ?? $"{source.State.Id} failed it before");
        TimeSpan? backoff = null;
        foreach (var source in listed)
        {
            if (source.Loss == SourceLoss.Corrupt)
            {
                var own = Longer(source.State.Strikes?.BackoffOf(file.Key, _now) ?? default, _limits.FirstStrikeBackoff / 2);
                backoff = backoff is { } other ? Shorter(own, other) : own;
            }
        }

        if (backoff is { } pause && listed.Exists(source => source.SentRightChunksBefore))
        {
            Defer(file, WaitCondition.Time, reason, pause);
        }
        else
        {
            GiveUp(file, reason, WorstOf(listed), backoff);
        }
    }

    /// <summary>What a person should look at first.</summary>
    private static SourceFaultKind? WorstOf(List<FileSource> sources)
    {
        ReadOnlySpan<SourceFaultKind> worst =
        [
            SourceFaultKind.Corrupt,
            SourceFaultKind.Refused,
            SourceFaultKind.Stalled,
            SourceFaultKind.EndedEarly,
            SourceFaultKind.Unreachable,
        ];
        foreach (var kind in worst)
        {
            if (sources.Exists(source => source.Fault == kind))
            {
                return kind;
            }
        }

        return SourceFaultKind.Unreachable;
    }

    private bool IsPaused(FileSource source) =>
        source.State.Condition == SourceCondition.Healthy && source.State.PausedUntil > _now;

    private bool IsUnreachable(FileSource source) =>
        source.State.Condition != SourceCondition.Healthy && !source.HasFailed(_limits.FailuresPerFile);

    private void DeferUntilSourceAnswers(FilePlan file, List<FileSource> unreachable)
    {
        var unreachableFor = unreachable.Min(source => _now - (source.State.UnreachableSince ?? _now));
        var retryIn = About(Shorter(Longer(unreachableFor, _shortestSourceWait), _limits.LongestSourceWait));
        foreach (var source in unreachable)
        {
            // A file that comes back and finds it unreachable still is deferred again, and renews this.
            _awaited[source.State.Id] = (file.Key, _now + (2 * retryIn));
        }

        Defer(
            file,
            WaitCondition.Source,
            JoinReasons(unreachable, source => source.State.Reason ?? $"{source.State.Id} has not answered yet"),
            retryIn
        );
    }

    private void Defer(FilePlan file, WaitCondition kind, string reason, TimeSpan retryIn)
    {
        Forget(file, keepsFailures: true);
        Emit(new PlannerAction.Defer(file.Key, kind, reason, retryIn));
    }

    /// <summary>Many who wait ask less often: together they see soon enough who is free.</summary>
    private TimeSpan PermitWait(FilePlan file) =>
        _limits.PermitWait * Math.Clamp((double)file.CompetingNodes / NodesPerPermitWait, 1, MostPermitWaits);

    private string? BusyText(FileSource source) => source.IsBusy(_now) ? $"{source.State.Id} serves another node" : null;

    private static string JoinReasons(List<FileSource> sources, Func<FileSource, string?> reasonOf)
    {
        var reasons = sources.Select(reasonOf).OfType<string>().Distinct().ToList();
        var joined = string.Join("; ", reasons.Take(ReasonsJoined));
        return reasons.Count > ReasonsJoined ? $"{joined}; and {reasons.Count - ReasonsJoined} more" : joined;
    }
}
