namespace FileTransfer.Downloads.Planning;

/// <summary>Decides which source is asked for which part of which file, when, and when waiting is over.</summary>
/// <remarks>
/// <para>A state machine without I/O and without a clock: events in, actions out. Whoever drives it reports everything that happens, with
/// the time, carries out every action, and reports a <see cref="PlannerEvent.Tick"/> at <see cref="NextTick"/>. One planner serves all
/// files of a node. Not for several threads at once.</para>
/// <para>Sources become healthy by answering a probe, for which no lane waits; after a failure they back off. Each free request goes to
/// the file of the highest priority, and among these to the one that was served least, at the source that ends it first, one that is trusted before one that is not. A file that no source can
/// serve now ends: deferred, when the fault is not its own; given up, when every source failed it.</para>
/// </remarks>
public sealed partial class DownloadPlanner(PlannerLimits limits, Random random)
{
    private readonly List<FilePlan> _files = [];
    private readonly Dictionary<FileKey, FilePlan> _fileOf = [];
    private readonly Dictionary<SourceId, SourceState> _sources = [];
    private readonly Dictionary<RequestId, PlannedRequest> _requests = [];
    private List<PlannerAction> _actions = [];
    private PlannerLimits _limits = limits;
    private TimeSpan _now;
    private long _lastRequest;

    /// <summary>Tells what happened and returns what to do about it, in this order.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="now">The time since any fixed moment; it never goes back.</param>
    public IReadOnlyList<PlannerAction> Handle(PlannerEvent happened, TimeSpan now)
    {
        _now = now > _now ? now : _now;
        if (Apply(happened) || NextTick <= _now)
        {
            Plan();
            _isNextTickKnown = false;
        }

        if (_actions.Count == 0)
        {
            return [];
        }

        var actions = _actions;
        _actions = [];
        return actions;
    }

    /// <summary>Notes an event; true when something may be started or ended because of it.</summary>
    private bool Apply(PlannerEvent happened)
    {
        switch (happened)
        {
            case PlannerEvent.OfRequest of:
                return _requests.TryGetValue(of.Request, out var request) && Apply(of, request);
            case PlannerEvent.HashesKnown known:
                HashesKnown(known);
                return true;
            case PlannerEvent.HashesInvalid refuted:
                HashesInvalid(refuted.File);
                return true;
            case PlannerEvent.FileWanted wanted:
                FileWanted(wanted);
                return true;
            case PlannerEvent.SourcesChanged changed:
                SourcesChanged(changed);
                return true;
            case PlannerEvent.PriorityChanged changed:
                _fileOf.GetValueOrDefault(changed.File)?.Priority = changed.Priority;
                return true;
            case PlannerEvent.PartsBegun begun:
                return Apply(begun);
            case PlannerEvent.PartChanged changed:
                return Apply(changed);
            case PlannerEvent.PartsEnded ended:
                return Apply(ended);
            case PlannerEvent.FileDropped dropped:
                FileDropped(dropped.File);
                return true;
            case PlannerEvent.ChunkAwaited awaited:
                _fileOf.GetValueOrDefault(awaited.File)?.Await(awaited.Chunk);
                return false;
            case PlannerEvent.ProbeAnswered answered:
                ProbeAnswered(answered);
                return true;
            case PlannerEvent.ProbeFailed failed:
                ProbeFailed(failed.Source, failed.Reason);
                return true;
            case PlannerEvent.SourceReadded readded:
                SourceReadded(readded.Source);
                return true;
            case PlannerEvent.SourceRevoked revoked:
                SourceRevoked(revoked.Source);
                return true;
            case PlannerEvent.LimitsChanged changed:
                _limits = changed.Limits;
                return true;
            default:
                return true;
        }
    }

    private void Plan()
    {
        FinishWhatIsComplete();
        ProveHashesThatAreHere();
        BackOffSilentSources();
        GiveUpLateFiles();
        ProbeWhatIsDue();
        StartRequests();
        HedgeSlowRequests();
        EndStuckFiles();
    }

    private void Emit(PlannerAction action) => _actions.Add(action);

    private TimeSpan Backoff(int failures, TimeSpan longest) =>
        Longer(_shortestBackoff, new Backoff(_limits.FirstBackoff, longest).Draw(failures, random));

    /// <summary>Takes up to half of a pause unreachable, so that those that begin together do not end together.</summary>
    private double Jitter() => 0.5 + (random.NextDouble() / 2);

    /// <summary>Around a duration, so that those that were deferred together do not come back together.</summary>
    private TimeSpan About(TimeSpan duration) => duration * (0.5 + random.NextDouble());
}
