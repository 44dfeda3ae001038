namespace FileTransfer.Cli.Simulation;

/// <summary>How simulated nodes kept track of each other. A time is null where it took longer than was waited.</summary>
/// <param name="World">What was simulated.</param>
/// <param name="QuietMessages">Messages that a node sends in a second while nothing changes but that announcements are made anew twice a day.</param>
/// <param name="QuietBytes">Bytes of these, each with a constant for its head.</param>
/// <param name="Rounds">After which a change was known everywhere; the slowest of some.</param>
/// <param name="Killed">After which all saw a killed node dead.</param>
/// <param name="Healed">After which all agreed again, and saw all alive, when a partition of a minute had ended.</param>
/// <param name="HealingBytes">Bytes that a node sent meanwhile, in all.</param>
/// <param name="ChurnRounds">After which a change was known to all that ran, under churn; the slowest of some.</param>
/// <param name="ChurnBytes">Bytes that a node sends in a second under churn.</param>
/// <param name="Settled">After which all agreed again, and saw all alive, when churn had ended.</param>
/// <param name="Suspected">Nodes that were suspected although they ran and were to be reached, in the quiet and under churn.</param>
/// <param name="SeenDead">How often such a node was even seen dead: by one node, once.</param>
/// <param name="Events">Things that happened.</param>
public sealed record GossipResult(
    GossipWorld World,
    double QuietMessages,
    double QuietBytes,
    int? Rounds,
    TimeSpan? Killed,
    TimeSpan? Healed,
    double HealingBytes,
    int? ChurnRounds,
    double ChurnBytes,
    TimeSpan? Settled,
    int Suspected,
    int SeenDead,
    long Events
)
{
    /// <summary>Nothing took longer than was waited for it.</summary>
    public bool IsComplete =>
        Rounds is not null && Killed is not null && Healed is not null && ChurnRounds is not null && Settled is not null;

    public static GossipResult Run(GossipWorld world, CancellationToken cancellationToken = default) =>
        new GossipSimulation(world, cancellationToken).Run();
}
