using FileTransfer.Downloads.Planning;

namespace FileTransfer.Cli.Simulation;

// What it has while it downloads, and who hears of it.
internal sealed partial class SimulatedNode
{
    /// <summary>How long it takes a node to find out that another has begun, on average twice.</summary>
    private static readonly TimeSpan _lookPeriod = TimeSpan.FromMilliseconds(200);

    private readonly List<SimulatedNode> _followers = [];
    private readonly List<(int Window, SimulatedNode Node, Request Request)> _waiting = [];
    private readonly PartState[] _parts = new PartState[cluster.Windows];
    private SimulatedNode[] _fellows = [];

    private bool IsHere(int window) => HasAll || _parts[window] == PartState.Here;

    private bool Has(FetchPart part) =>
        part switch
        {
            FetchPart.Window(var chunks) => HasAll || _parts[SimulatedCluster.WindowOf(chunks.First)] != PartState.Missing,
            FetchPart.Whole => HasAll,
            _ => HasAll || _hasHashes,
        };

    private void FollowParts()
    {
        foreach (var fellow in _fellows)
        {
            AfterRoundTrip(
                fellow,
                _ =>
                {
                    if (!fellow._followers.Contains(this))
                    {
                        fellow._followers.Add(this);
                    }

                    if (fellow is { IsThere: true, _hasHashes: true })
                    {
                        Hear(fellow);
                    }
                }
            );
        }
    }

    /// <summary>It can pass on something from now on.</summary>
    private void TellFellows()
    {
        foreach (var follower in _followers)
        {
            cluster.Time.After(
                cluster.World.Latency + (_lookPeriod * cluster.Random.NextDouble()),
                () =>
                {
                    if (IsThere)
                    {
                        follower.Hear(this);
                    }
                }
            );
        }
    }

    /// <summary>All that another has now.</summary>
    private void Hear(SimulatedNode fellow)
    {
        if (!_isInLane)
        {
            return;
        }

        Tell(new PlannerEvent.PartsBegun(fellow.Hint.Id, SimulatedCluster.File));
        for (var window = 0; window < cluster.Windows && _isInLane; window++)
        {
            if (fellow._parts[window] is var state && state != PartState.Missing)
            {
                Tell(new PlannerEvent.PartChanged(fellow.Hint.Id, SimulatedCluster.File, window, state));
            }
        }
    }

    private void Announce(int window, PartState state)
    {
        _parts[window] = state;
        if (state != PartState.Coming)
        {
            EndWaiting(window, state);
        }

        cluster.Time.After(
            cluster.World.Latency,
            () =>
            {
                foreach (var follower in _followers)
                {
                    if (follower._isInLane)
                    {
                        follower.Tell(new PlannerEvent.PartChanged(Hint.Id, SimulatedCluster.File, window, _parts[window]));
                    }
                }
            }
        );
    }

    /// <summary>What it was being sent does not come; another request for the same may.</summary>
    private void Lose(FetchPart part)
    {
        if (
            part is FetchPart.Window(var chunks)
            && SimulatedCluster.WindowOf(chunks.First) is var window
            && _parts[window] == PartState.Coming
            && !_requests.Values.Any(request =>
                request.Flow is not null && request.Fetch.Part is FetchPart.Window(var others) && others.First == chunks.First
            )
        )
        {
            Announce(window, PartState.Missing);
        }
    }

    private void EndWaiting(int window, PartState state)
    {
        foreach (var waiting in _waiting.FindAll(one => one.Window == window))
        {
            _waiting.Remove(waiting);
            var (_, node, request) = waiting;
            cluster.Time.After(
                cluster.World.Latency,
                () =>
                {
                    if (!node._requests.ContainsKey(request.Fetch.Request))
                    {
                        return;
                    }

                    if (state == PartState.Here)
                    {
                        node.Received(request);
                    }
                    else
                    {
                        node.Fail(request, SourceFaultKind.NotFound);
                    }
                }
            );
        }
    }
}
