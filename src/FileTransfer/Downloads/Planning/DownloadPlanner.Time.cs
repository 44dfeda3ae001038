namespace FileTransfer.Downloads.Planning;

// When something is due although nothing happens.
public sealed partial class DownloadPlanner
{
    private TimeSpan? _nextTick;
    private bool _isNextTickKnown;

    /// <summary>When to report a <see cref="PlannerEvent.Tick"/> at the latest; null when nothing is due before something happens.</summary>
    public TimeSpan? NextTick
    {
        get
        {
            if (!_isNextTickKnown)
            {
                _nextTick = FindNextTick();
                _isNextTickKnown = true;
            }

            return _nextTick;
        }
    }

    private TimeSpan? FindNextTick()
    {
        var next = TimeSpan.MaxValue;
        Due(_nextHedgeLook ?? TimeSpan.MaxValue);
        foreach (var request in _requests.Values)
        {
            if (request.AnsweredAt is null)
            {
                Due(SilentAt(request));
            }
        }

        foreach (var file in _files)
        {
            Due(file.Deadline ?? TimeSpan.MaxValue);
            Due(file.WaitsSince + LongestLaneWait(file) ?? TimeSpan.MaxValue);
            foreach (var source in file.Sources)
            {
                Due(source.BusyUntil);
                Due(source.RefusedUntil);
                Due(source.RetryAt);
                Due(source.State.PausedUntil);
                DueOfStrikes(source.State, file.Key);
                DueOf(source.State);
            }
        }

        foreach (var id in _awaited.Keys)
        {
            DueOf(_sources[id]);
        }

        return next == TimeSpan.MaxValue ? null : next;

        void Due(TimeSpan at) => next = at > _now && at < next ? at : next;

        void DueOf(SourceState source)
        {
            if (source.Condition == SourceCondition.Unreachable)
            {
                Due(source.RetryAt);
            }
            else if (source.Condition == SourceCondition.Probing)
            {
                Due(source.ProbedAt + _limits.LanePatience);
                Due(source.ProbedAt + ProbePatience(source));
            }
        }

        void DueOfStrikes(SourceState source, FileKey file)
        {
            if (source.Strikes is { } strikes)
            {
                Due(strikes.DemotedUntil);
                Due(_now + strikes.BackoffOf(file, _now));
            }
        }
    }
}
