namespace FileTransfer.Cli.Simulation;

/// <summary>How a simulated cluster fared.</summary>
/// <param name="World">What was simulated.</param>
/// <param name="Stored">Nodes that got the content; all, unless the simulation was ended after a week.</param>
/// <param name="First">When the first of them had it.</param>
/// <param name="Median">When half of them had it.</param>
/// <param name="Most">When 95 of 100 had it.</param>
/// <param name="All">When all had it.</param>
/// <param name="LeaderCopies">What the leader sent, in contents.</param>
/// <param name="Fairness">Jain's index of the completion times: 1 = all the same, 1/n = one had to wait for all the others.</param>
/// <param name="TurnedAway">Requests that were answered with "another's turn".</param>
/// <param name="Events">Things that happened.</param>
public sealed record SimulationResult(
    SimulatedWorld World,
    int Stored,
    TimeSpan First,
    TimeSpan Median,
    TimeSpan Most,
    TimeSpan All,
    double LeaderCopies,
    double Fairness,
    long TurnedAway,
    long Events
)
{
    public static SimulationResult Run(SimulatedWorld world, CancellationToken cancellationToken = default) =>
        new SimulatedCluster(world).Run(cancellationToken);

    internal static SimulationResult Of(SimulatedWorld world, SimulatedNode[] nodes, VirtualTime time)
    {
        var times = nodes.Skip(1).Select(node => node.StoredAt ?? TimeSpan.MaxValue).Order().ToArray();
        var stored = times.Count(at => at < TimeSpan.MaxValue);
        var seconds = times.Take(stored).Select(at => at.TotalSeconds).ToArray();
        var sum = seconds.Sum();
        return new SimulationResult(
            world,
            stored,
            times[0],
            times[(times.Length - 1) / 2],
            times[(int)Math.Ceiling(0.95 * times.Length) - 1],
            times[^1],
            nodes[0].BytesSent
                / (
                    world.Size
                    * (1.0 * FileTransfer.Chunks.Frames.ChunkFrame.Length / FileTransfer.Chunks.Frames.ChunkFrame.ChunkLength)
                ),
            sum * sum / (seconds.Length * seconds.Sum(at => at * at)),
            nodes.Sum(node => node.TurnedAway),
            time.Count
        );
    }
}
