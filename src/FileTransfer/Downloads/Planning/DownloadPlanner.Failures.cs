namespace FileTransfer.Downloads.Planning;

// Requests that fail, and whose fault that is.
public sealed partial class DownloadPlanner
{
    private static readonly TimeSpan _longestBusy = TimeSpan.FromSeconds(10);

    private void RequestFailed(PlannedRequest request, PlannerEvent.RequestFailed failed)
    {
        Remove(request);
        Return(request);
        var (file, source) = (request.File, request.Source);
        switch (failed.Kind)
        {
            case SourceFaultKind.Corrupt or SourceFaultKind.NotFound when IsOfHashesOfShare(request):
                source.LacksHashes = true;
                CancelAll(file, source, failed.Reason);
                break;
            case SourceFaultKind.NotFound or SourceFaultKind.EndedEarly or SourceFaultKind.Stalled when source.Parts is not null:
                WasNotHere(request, failed.Reason);
                break;
            case SourceFaultKind.NoRanges when request.IsRange && source.Kind == SourceKind.Share:
                source.State.LacksRanges = true;
                CancelRanges(file, source, failed.Reason);
                break;
            case SourceFaultKind.NotFound:
                source.Lose(SourceLoss.NotFound, failed.Reason);
                CancelAll(file, source, failed.Reason);
                break;
            case SourceFaultKind.Corrupt:
                source.SentRightChunksBefore |= request is { Came: > 0, Part: FetchPart.Window };
                ReportCorruption(file, source, failed.Reason);
                break;
            case SourceFaultKind.Throttled:
                Throttled(source, failed);
                break;
            case SourceFaultKind.Busy:
                Refused(request, failed);
                break;
            case SourceFaultKind.Refused or SourceFaultKind.NoRanges:
                source.State.LastSeen = _now;
                source.Refuse(failed.Reason, _now + Backoff(source.Failures, _limits.LongestBackoff));
                break;
            case SourceFaultKind.Local:
                GiveUp(file, failed.Reason, SourceFaultKind.Local);
                break;
            default:
                source.Fail(failed.Kind, failed.Reason, broughtSomething: request.Came > 0);
                BackOff(source.State, failed.Reason);
                break;
        }
    }

    /// <summary>A share has them in a file of their own, which says nothing against the content. A node proves its own before it sends them.</summary>
    private static bool IsOfHashesOfShare(PlannedRequest request) =>
        request is { Part: FetchPart.Hashes or FetchPart.HashRange, Source.Kind: SourceKind.Share };

    private void ReportCorruption(FilePlan file, FileSource source, string reason)
    {
        Emit(new PlannerAction.ReportCorruption(source.State.Id, file.Key, reason));
        source.Lose(SourceLoss.Corrupt, reason);
        CancelAll(file, source, reason);
        var state = source.State;
        if (state.Strike(file.Key, reason, _now, _limits, Jitter()) && state.Strikes is { } strikes)
        {
            Emit(new PlannerAction.Demote(state.Id, strikes.FilesAt(_now, _limits), strikes.DemotedUntil - _now, reason));
        }
    }

    /// <summary>The source wants to be left alone, by all files. One that says nothing else for hours refuses.</summary>
    private void Throttled(FileSource source, PlannerEvent.RequestFailed failed)
    {
        var state = source.State;
        state.LastSeen = _now;
        if (state.Throttle(_now) > _limits.LongestThrottle)
        {
            source.Refuse(failed.Reason, _now + Backoff(source.Failures, _limits.LongestBackoff));
            return;
        }

        var pause = failed.RetryAfter ?? Backoff(state.TimesThrottled, _limits.LongestBackoff);
        state.Pause(failed.Reason, _now + Longer(Shorter(pause, _limits.LongestRetryAfter), _limits.FirstBackoff));
    }

    private void CancelRanges(FilePlan file, FileSource source, string reason)
    {
        foreach (var request in file.InFlight.Where(request => request.Source == source && request.IsRange).ToArray())
        {
            Cancel(request, reason);
        }
    }

    private void CancelAll(FilePlan file, FileSource source, string reason)
    {
        foreach (var request in file.InFlight.Where(request => request.Source == source).ToArray())
        {
            Cancel(request, reason);
        }
    }

    /// <summary>A source that failed a request rests, once for all requests that fail with it.</summary>
    private void BackOff(SourceState source, string reason)
    {
        if (source.Condition == SourceCondition.Healthy)
        {
            source.RequestFailed(reason, _now + Backoff(source.RequestsFailed, _limits.LongestBackoff), _now);
        }
    }

    /// <summary>A source that was asked and does not even begin to answer is unreachable; what it was asked for goes to others.</summary>
    private void BackOffSilentSources()
    {
        foreach (var (_, request) in _requests)
        {
            if (IsSilent(request))
            {
                var source = request.Source;
                var reason = $"{source.State.Id} sent nothing for {source.State.Load.PatienceWith(_limits).TotalSeconds:0.#} s";
                BackOff(source.State, reason);
                source.Fail(SourceFaultKind.Unreachable, reason, broughtSomething: false);
                Cancel(request, reason);
            }
        }
    }

    private bool IsSilent(PlannedRequest request) => request.AnsweredAt is null && SilentAt(request) <= _now;

    private TimeSpan SilentAt(PlannedRequest request) =>
        Longer(request.StartedAt, request.Source.State.LastSeen) + request.Source.State.Load.PatienceWith(_limits);

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
