using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Cli.Simulation;

// It brings the content here: claims it, tells the planner what happens, carries out what it answers.
internal sealed partial class SimulatedNode
{
    private static readonly TimeSpan _progressPeriod = TimeSpan.FromSeconds(1);

    private readonly Dictionary<RequestId, Request> _requests = [];
    private readonly ChunkRanges _missing = new();
    private DownloadPlanner? _planner;
    private TimeSpan? _tickAt;
    private bool _hasHashes;
    private bool _isInLane;
    private int _life;
    private int _claim;

    /// <summary>When it had all of it.</summary>
    public TimeSpan? StoredAt { get; private set; }

    private TimeSpan Now => cluster.Time.Now;

    /// <summary>It hears that there is something to download, and who downloads it too.</summary>
    public void Want(SimulatedNode[] fellows)
    {
        _fellows = fellows;
        _missing.Add(0, cluster.ChunkCount);
        cluster.Time.After(cluster.World.Latency * (1 + cluster.Random.NextDouble()), Claim);
    }

    private void Claim()
    {
        if (_isInLane || !IsThere || StoredAt is not null)
        {
            return;
        }

        _isInLane = true;
        _claim++;
        _planner ??= new DownloadPlanner(PlannerLimits.Default, new Random(cluster.Random.Next()));
        Tell(
            new PlannerEvent.FileWanted(
                SimulatedCluster.File,
                cluster.ChunkCount,
                Missing(),
                _hasHashes,
                Hints(),
                cluster.Catalog.Wanting - 1
            )
        );
        FollowParts();
        ReportProgress();
    }

    private List<SourceHint> Hints()
    {
        var hints = new List<SourceHint>();
        cluster.Catalog.AddHoldings(hints, Now);
        hints.AddRange(
            _fellows.Where(fellow => !hints.Contains(fellow.Hint)).Select(fellow => fellow.Hint with { IsPartial = true })
        );
        return hints;
    }

    private List<ChunkRange> Missing() => [.. _missing.Runs.Select(run => new ChunkRange(run.First, (int)(run.End - run.First)))];

    private void ReportProgress() =>
        cluster.Time.After(
            _progressPeriod,
            WhileInLane(() =>
            {
                var competingNodes = cluster.Catalog.Wanting - 1;
                Tell(new PlannerEvent.SourcesChanged(SimulatedCluster.File, Hints(), competingNodes));
                ReportProgress();
            })
        );

    /// <summary>What is done later is not done when the lane was left or the node killed meanwhile.</summary>
    private Action WhileInLane(Action act)
    {
        var claim = _claim;
        return () =>
        {
            if (_isInLane && claim == _claim)
            {
                act();
            }
        };
    }

    private void Tell(PlannerEvent happened)
    {
        foreach (var action in _planner!.Handle(happened, Now))
        {
            CarryOut(action);
        }

        if (_planner.NextTick is { } due && (_tickAt is null || due < _tickAt))
        {
            _tickAt = due;
            var life = _life;
            cluster.Time.At(due, () => Tick(due, life));
        }
    }

    private void Tick(TimeSpan at, int life)
    {
        if (at == _tickAt && life == _life)
        {
            _tickAt = null;
            Tell(PlannerEvent.Tick.Instance);
        }
    }

    private void CarryOut(PlannerAction action)
    {
        switch (action)
        {
            case PlannerAction.Fetch fetch:
                Begin(fetch);
                break;
            case PlannerAction.Cancel cancel:
                if (_requests.Remove(cancel.Request, out var cancelled))
                {
                    Stop(cancelled);
                    Lose(cancelled.Fetch.Part);
                }

                break;
            case PlannerAction.Probe probe:
                AfterRoundTrip(
                    cluster.NodeOf(probe.Source),
                    isThere =>
                        Tell(
                            isThere
                                ? new PlannerEvent.ProbeAnswered(probe.Source)
                                : new PlannerEvent.ProbeFailed(probe.Source, $"{probe.Source} refused the connection")
                        )
                );
                break;
            case PlannerAction.ProveHashes:
                cluster.Time.After(TimeSpan.Zero, WhileInLane(ProveHashes));
                break;
            case PlannerAction.Finish:
                _isInLane = false;
                StoredAt = Now;
                cluster.Catalog.Publish(this);
                break;
            case PlannerAction.Defer defer:
                LeaveLane(defer.RetryIn);
                break;
            case PlannerAction.GiveUp:
                LeaveLane(_progressPeriod * cluster.Random.NextDouble());
                break;
            case PlannerAction.Wake:
                cluster.Time.After(cluster.World.Latency, Claim);
                break;
        }
    }

    private void LeaveLane(TimeSpan retryIn)
    {
        _isInLane = false;
        var claim = _claim;
        cluster.Time.After(
            retryIn,
            () =>
            {
                if (claim == _claim)
                {
                    Claim();
                }
            }
        );
    }

    private void AfterRoundTrip(SimulatedNode other, Action<bool> then)
    {
        var life = _life;
        cluster.Time.After(
            2 * cluster.World.Latency,
            () =>
            {
                if (life == _life)
                {
                    then(other.IsThere);
                }
            }
        );
    }
}
