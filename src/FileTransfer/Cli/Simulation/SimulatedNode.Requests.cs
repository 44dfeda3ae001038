using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;
using FileTransfer.Serving;

namespace FileTransfer.Cli.Simulation;

// Its requests, and what becomes of them and of it.
internal sealed partial class SimulatedNode
{
    private void Begin(PlannerAction.Fetch fetch)
    {
        var source = cluster.NodeOf(fetch.Source);
        var request = new Request(fetch, source);
        _requests.Add(fetch.Request, request);
        AfterRoundTrip(
            source,
            isThere =>
            {
                if (!_requests.ContainsKey(fetch.Request))
                {
                    return;
                }

                if (!isThere)
                {
                    Fail(request, SourceFaultKind.Unreachable);
                }
                else if (!source.Has(fetch.Part))
                {
                    Fail(request, SourceFaultKind.NotFound);
                }
                else if (!source.TryServe(request, this))
                {
                    Fail(request, SourceFaultKind.Busy);
                }
                else
                {
                    Receive(request);
                }
            }
        );
    }

    private void Receive(Request request)
    {
        var bytes = BytesOf(request.Fetch.Part);
        request.Breaks = cluster.Random.NextDouble() < cluster.World.Loss;
        request.Flow = new SimulatedFlow(
            request.Source,
            this,
            request.Breaks ? bytes * cluster.Random.NextDouble() : bytes,
            request.Permit,
            () => CameOver(request)
        );
        cluster.Network.Begin(request.Flow);
        if (request.Fetch.Part is FetchPart.Window(var chunks))
        {
            Announce(SimulatedCluster.WindowOf(chunks.First), PartState.Coming);
        }

        Tell(new PlannerEvent.RequestAnswered(request.Fetch.Request));
    }

    /// <summary>All of it was sent, but for what its source is still being sent itself: that is passed on as it comes.</summary>
    private void CameOver(Request request)
    {
        request.Flow = null;
        if (
            request.Fetch.Part is not FetchPart.Window(var chunks)
            || request.Source.IsHere(SimulatedCluster.WindowOf(chunks.First))
        )
        {
            Received(request);
        }
        else
        {
            request.Source._waiting.Add((SimulatedCluster.WindowOf(chunks.First), this, request));
        }
    }

    private void Received(Request request)
    {
        if (request.Breaks)
        {
            Fail(request, SourceFaultKind.EndedEarly);
            return;
        }

        _requests.Remove(request.Fetch.Request);
        Stop(request, isDone: true);
        switch (request.Fetch.Part)
        {
            case FetchPart.Window(var chunks):
                _missing.Remove(chunks.First, chunks.End);
                for (
                    var window = SimulatedCluster.WindowOf(chunks.First);
                    window <= SimulatedCluster.WindowOf(chunks.End - 1);
                    window++
                )
                {
                    Announce(window, PartState.Here);
                }

                break;
            case FetchPart.Whole:
                _missing.Remove(0, cluster.ChunkCount);
                break;
        }

        Tell(new PlannerEvent.RequestDone(request.Fetch.Request));
        if (request.Fetch.Part is FetchPart.Hashes)
        {
            ProveHashes();
        }
    }

    private void ProveHashes()
    {
        _hasHashes = true;
        TellFellows();
        Tell(new PlannerEvent.HashesKnown(SimulatedCluster.File, Missing()));
    }

    private void Fail(Request request, SourceFaultKind kind)
    {
        _requests.Remove(request.Fetch.Request);
        Stop(request);
        Lose(request.Fetch.Part);
        Tell(new PlannerEvent.RequestFailed(request.Fetch.Request, kind, $"{request.Fetch.Source} failed ({kind})"));
    }

    /// <summary>Ends a request wherever it is.</summary>
    private void Stop(Request request, bool isDone = false)
    {
        if (request.Flow is { } flow)
        {
            request.Flow = null;
            cluster.Network.End(flow);
        }

        if (request.Permit is { } permit)
        {
            request.Permit = null;
            request.Source._admission.Release(permit, isPassedOn: isDone && request.Source.HasAll, Now);
        }
    }

    /// <summary>It is killed, with everything that it received or sent; it comes back with what it has on disk.</summary>
    public void Die()
    {
        IsThere = false;
        _life++;
        _isInLane = false;
        _planner = null;
        _tickAt = null;
        foreach (var request in _requests.Values)
        {
            Stop(request);
            Lose(request.Fetch.Part);
        }

        _requests.Clear();
        foreach (var flow in Sending.ToArray())
        {
            flow.To.LoseSource(flow);
        }

        cluster.Time.After(
            AwayFor * (0.5 + cluster.Random.NextDouble()),
            () =>
            {
                IsThere = true;
                Claim();
            }
        );
    }

    private void LoseSource(SimulatedFlow flow)
    {
        if (_requests.Values.FirstOrDefault(request => request.Flow == flow) is { } request)
        {
            Fail(request, SourceFaultKind.Unreachable);
        }
    }

    private long BytesOf(FetchPart part) =>
        part switch
        {
            FetchPart.Window(var chunks) => (long)chunks.Count * ChunkFrame.Length,
            FetchPart.HashRange(var hashes) => (long)hashes.Count * Hash256.Length,
            FetchPart.Hashes => cluster.ChunkCount * Hash256.Length,
            _ => cluster.ChunkCount * ChunkFrame.Length,
        };

    private sealed class Request(PlannerAction.Fetch fetch, SimulatedNode source)
    {
        public PlannerAction.Fetch Fetch => fetch;

        public SimulatedNode Source => source;

        public SimulatedFlow? Flow { get; set; }

        public ContentPermit? Permit { get; set; }

        public bool Breaks { get; set; }
    }
}
