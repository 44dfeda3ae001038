using FileTransfer.Bandwidth;

namespace FileTransfer.Cli.Simulation;

/// <summary>What is simulated: one leader that has a content, and nodes that all want it from one moment on.</summary>
public sealed record SimulatedWorld
{
    /// <summary>Nodes that want the content, beside the leader that has it.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Bytes of the content.</summary>
    public long Size { get; init; } = 16L * 1024 * 1024;

    /// <summary>What every node can send.</summary>
    public ByteRate Up { get; init; } = new(50_000_000);

    /// <summary>What every node can receive.</summary>
    public ByteRate Down { get; init; } = new(50_000_000);

    /// <summary>From one node to any other, one way.</summary>
    public TimeSpan Latency { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Part of the requests whose connection breaks in the middle, 0 to 1.</summary>
    public double Loss { get; init; }

    /// <summary>How often each follower is killed, per hour; it is back after about <see cref="SimulatedNode.AwayFor"/>.</summary>
    public double Churn { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>How long all of them take when everyone asks the leader alone: its uplink is shared evenly.</summary>
    public TimeSpan LeaderAlone =>
        TimeSpan.FromSeconds(Math.Max((double)Nodes * Size / Up.BytesPerSecond, (double)Size / Down.BytesPerSecond));
}
