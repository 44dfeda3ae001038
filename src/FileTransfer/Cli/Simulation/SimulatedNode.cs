using FileTransfer.Downloads.Planning;
using FileTransfer.Serving;

namespace FileTransfer.Cli.Simulation;

/// <summary>A node of the simulated cluster: the real planner, the real turns, and a link.</summary>
internal sealed partial class SimulatedNode(SimulatedCluster cluster, int number)
{
    /// <summary>How long a killed node is away.</summary>
    public static readonly TimeSpan AwayFor = TimeSpan.FromSeconds(10);

    private readonly NodeId _id = new($"n{number}");
    private readonly ContentAdmission _turns = new(() => cluster.World.Up);

    public SourceHint Hint { get; } = new(new SourceId($"{number}"), number == 0 ? SourceKind.Leader : SourceKind.Node);

    public List<SimulatedFlow> Sending { get; } = [];

    public List<SimulatedFlow> Receiving { get; } = [];

    /// <summary>Its place among those that wait for their turn.</summary>
    public int? WaitsAt { get; set; }

    public bool IsThere { get; private set; } = true;

    public double BytesSent { get; set; }

    /// <summary>Requests that it answered with "not your turn".</summary>
    public long TurnedAway { get; private set; }

    /// <summary>Asks for its turn to be given the content; false when it is another's.</summary>
    private bool TryServe(SimulatedNode asker)
    {
        var now = cluster.Time.Now;
        foreach (var flow in Sending)
        {
            flow.Settle(now);
        }

        var isServed = _turns.TryAcquire(asker._id, SimulatedCluster.Content, now);
        TurnedAway += isServed ? 0 : 1;
        return isServed;
    }

    private void Leave(SimulatedNode asker) => _turns.Release(asker._id, SimulatedCluster.Content, cluster.Time.Now);

    public void Account(SimulatedNode to, bool hasTurn, long bytes, TimeSpan at)
    {
        if (hasTurn)
        {
            _turns.Sent(to._id, SimulatedCluster.Content, bytes, at);
        }
        else
        {
            _turns.Sent(bytes, at);
        }
    }
}
