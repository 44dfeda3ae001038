namespace FileTransfer.Contracts;

/// <summary>What the nodes were like, in steps from <paramref name="From"/> on.</summary>
public sealed record HistoryResource(DateTimeOffset From, double StepSeconds, IReadOnlyList<NodeHistoryResource> Nodes);

/// <summary>What a node was like, step by step; null where it said nothing.</summary>
/// <param name="Lag">Mutations of the feed that it had not brought into its queue, at most in the step.</param>
/// <param name="Lacking">Files that were to be there and were not, at most in the step; counted no further than to 100000.</param>
/// <param name="DiskFree">Bytes that were free on its disk, at least in the step.</param>
public sealed record NodeHistoryResource(string Node, long?[] Lag, long?[] Lacking, long?[] DiskFree);
