namespace FileTransfer.Cli.Simulation;

/// <summary>What is simulated: nodes that know each other, and what happens to them.</summary>
public sealed record GossipWorld
{
    /// <summary>Of a request that a node sends another, without its body: request line, Host, Content-Type, Content-Length, the names of the node and its cluster, and the signature.</summary>
    public const int RequestHead = 340;

    /// <summary>Of the answer.</summary>
    public const int AnswerHead = 320;

    public int Nodes { get; init; } = 10_000;

    /// <summary>Part of the messages that are lost, requests and answers alike, 0 to 1.</summary>
    public double Loss { get; init; } = 0.01;

    /// <summary>Part of the nodes that are killed in each minute of churn, 0 to 1; each is back after <see cref="AwayFor"/>.</summary>
    public double Churn { get; init; } = 0.1;

    public TimeSpan AwayFor { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From one node to any other, one way; each message takes from half to one and a half times as long.</summary>
    public TimeSpan Latency { get; init; } = TimeSpan.FromMilliseconds(20);

    public int Seed { get; init; } = 1;
}
