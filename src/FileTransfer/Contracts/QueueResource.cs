namespace FileTransfer.Contracts;

/// <summary>What a node has to do, by what it waits for.</summary>
public sealed record QueueResource(string Node, IReadOnlyList<QueuePartResource> Parts);

/// <summary>Files of a queue that wait for the same; there is at least one.</summary>
/// <param name="State">
/// <c>ready</c> (for a lane), <c>waiting</c> (for their next attempt, an upload, a source), <c>unprovided</c> (for a node that has them),
/// <c>downloading</c>, <c>removing</c>, <c>failed</c> or <c>paused</c> (by a person).
/// </param>
/// <param name="Count">How many there are, counted no further than to 100000.</param>
/// <param name="OldestSeconds">For how long the first of them has been wanted; 0 where it is to go.</param>
public sealed record QueuePartResource(string State, long Count, long OldestSeconds);
