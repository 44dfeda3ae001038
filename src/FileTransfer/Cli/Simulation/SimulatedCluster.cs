using FileTransfer.Catalog.Providers;
using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;
using FileTransfer.Serving;

namespace FileTransfer.Cli.Simulation;

/// <summary>One leader with a content and the nodes that want it, in virtual time. The same seed gives the same run.</summary>
internal sealed class SimulatedCluster
{
    public static readonly FileKey File = new(Enumerable.Repeat((byte)1, Hash256.Length).ToArray());
    public static readonly Fingerprint Content = new(Enumerable.Repeat((byte)2, Hash256.Length).ToArray());

    /// <summary>Of those that want it too, each node hears from so many what they have.</summary>
    private const int Fellows = FileProviders.Most;

    private static readonly TimeSpan _longest = TimeSpan.FromDays(7);

    private readonly SimulatedNode[] _nodes;

    public SimulatedCluster(SimulatedWorld world)
    {
        World = world;
        Random = new Random(world.Seed);
        ChunkCount = ChunkFrame.ChunkCount(world.Size);
        Windows = WindowOf(Math.Max(0, ChunkCount - 1)) + 1;
        Network = new SimulatedNetwork(Time, world.Up.BytesPerSecond, world.Down.BytesPerSecond);
        _nodes = [.. Enumerable.Range(0, world.Nodes + 1).Select(number => new SimulatedNode(this, number))];
        Catalog = new SimulatedCatalog(_nodes[0], Random) { Wanting = world.Nodes };
    }

    public SimulatedWorld World { get; }

    public VirtualTime Time { get; } = new();

    public Random Random { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedCatalog Catalog { get; }

    public long ChunkCount { get; }

    public int Windows { get; }

    public bool NeedsPermits => World.Size > ContentAdmission.FreeUpToBytes;

    public static int WindowOf(long chunk) => (int)(chunk / PlannerLimits.Default.WindowChunks);

    public SimulatedNode NodeOf(SourceId id) => _nodes[int.Parse(id.Value)];

    public SimulationResult Run(CancellationToken cancellationToken)
    {
        foreach (var node in _nodes.AsSpan(1))
        {
            node.Want([.. FellowsOf(node)]);
            PlanDeath(node);
        }

        while (Catalog.Wanting > 0 && Time.Now < _longest && Time.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return SimulationResult.Of(World, _nodes, Time);
    }

    private IEnumerable<SimulatedNode> FellowsOf(SimulatedNode node)
    {
        var drawn = new HashSet<SimulatedNode> { node };
        while (drawn.Count <= Math.Min(Fellows, _nodes.Length - 2))
        {
            var fellow = _nodes[1 + Random.Next(_nodes.Length - 1)];
            if (drawn.Add(fellow))
            {
                yield return fellow;
            }
        }
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
