namespace FileTransfer.Contracts;

/// <summary>What changed in the cluster behind a position: the changes of a file are in their order.</summary>
/// <param name="Position" example="0b1f…-12.7.0.3.9.1.4.4.2.8.6.5.0.11.3.2">Where the next page begins, as <c>after</c>; it can be kept for as long as the feed is.</param>
public sealed record ChangesResource(string Cluster, string Position, IReadOnlyList<ChangeResource> Changes);

/// <summary>A file that came to the cluster, or left it.</summary>
/// <param name="Kind"><c>stored</c>: the leader has it, and every node that wants it gets it; <c>removed</c>.</param>
/// <param name="Location">Its name in the bucket; null where it is not UTF-8.</param>
public sealed record ChangeResource(string Kind, string Key, string Bucket, string? Location, long Size, DateTimeOffset At);
