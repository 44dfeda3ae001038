using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;

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
                else if (cluster.NeedsTurns && !(request.HasTurn = source.TryServe(this)))
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
            request.HasTurn,
            () => Received(request)
        );
        cluster.Network.Begin(request.Flow);
        Tell(new PlannerEvent.RequestAnswered(request.Fetch.Request));
    }

    private void Received(Request request)
    {
        request.Flow = null;
        if (request.Breaks)
        {
            Fail(request, SourceFaultKind.EndedEarly);
            return;
        }

        _requests.Remove(request.Fetch.Request);
        Stop(request);
        switch (request.Fetch.Part)
        {
            case FetchPart.Window(var chunks):
                _missing.Remove(chunks.First, chunks.End);
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
        Tell(new PlannerEvent.HashesKnown(SimulatedCluster.File, Missing()));
    }

    private void Fail(Request request, SourceFaultKind kind)
    {
        _requests.Remove(request.Fetch.Request);
        Stop(request);
        Tell(new PlannerEvent.RequestFailed(request.Fetch.Request, kind, $"{request.Fetch.Source} failed ({kind})"));
    }

    /// <summary>Ends a request wherever it is.</summary>
    private void Stop(Request request)
    {
        if (request.Flow is { } flow)
        {
            request.Flow = null;
            cluster.Network.End(flow);
        }

        if (request.HasTurn)
        {
            request.HasTurn = false;
            request.Source.Leave(this);
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
        cluster.Catalog.StopWaiting(this);
        foreach (var request in _requests.Values)
        {
            Stop(request);
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

        public bool HasTurn { get; set; }

        public bool Breaks { get; set; }
    }
}
