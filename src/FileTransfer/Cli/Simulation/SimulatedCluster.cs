using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;
using FileTransfer.Serving;

namespace FileTransfer.Cli.Simulation;

/// <summary>One leader with a content and the nodes that want it, in virtual time. The same seed gives the same run.</summary>
internal sealed class SimulatedCluster
{
    public static readonly FileKey File = new(Enumerable.Repeat((byte)1, Hash256.Length).ToArray());
    public static readonly Fingerprint Content = new(Enumerable.Repeat((byte)2, Hash256.Length).ToArray());

    private static readonly TimeSpan _longest = TimeSpan.FromDays(7);

    private readonly SimulatedNode[] _nodes;

    public SimulatedCluster(SimulatedWorld world)
    {
        World = world;
        Random = new Random(world.Seed);
        Network = new SimulatedNetwork(Time, world.Up.BytesPerSecond, world.Down.BytesPerSecond);
        _nodes = [.. Enumerable.Range(0, world.Nodes + 1).Select(number => new SimulatedNode(this, number))];
        Catalog = new SimulatedCatalog(_nodes[0], Random) { Wanting = world.Nodes };
        ChunkCount = ChunkFrame.ChunkCount(world.Size);
    }

    public SimulatedWorld World { get; }

    public VirtualTime Time { get; } = new();

    public Random Random { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedCatalog Catalog { get; }

    public long ChunkCount { get; }

    public bool NeedsTurns => World.Size > ContentAdmission.FreeUpToBytes;

    public SimulatedNode NodeOf(SourceId id) => _nodes[int.Parse(id.Value)];

    public SimulationResult Run(CancellationToken cancellationToken)
    {
        foreach (var node in _nodes.AsSpan(1))
        {
            node.Want();
            PlanDeath(node);
        }

        while (Catalog.Wanting > 0 && Time.Now < _longest && Time.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return SimulationResult.Of(World, _nodes, Time);
    }

    private void PlanDeath(SimulatedNode node)
    {
        if (World.Churn > 0)
        {
            var hours = -Math.Log(1 - Random.NextDouble()) / World.Churn;
            Time.After(
                TimeSpan.FromHours(hours) + (2 * SimulatedNode.AwayFor),
                () =>
                {
                    node.Die();
                    PlanDeath(node);
                }
            );
        }
    }
}
