namespace FileTransfer.Contracts;

/// <summary>The sources that this node has met.</summary>
public sealed record SourcesResource(string Node, IReadOnlyList<KnownSourceResource> Sources);

/// <summary>What was taken in of what a share lists.</summary>
/// <param name="Files">The cluster's own now, and kept at this node.</param>
/// <param name="Wanted">How many of these were not wanted here before.</param>
/// <param name="Removed">Files that the cluster has removed; they stay so.</param>
/// <param name="Refused">Lines whose key is not the hash of their metadata.</param>
public sealed record AdoptedResource(string Source, long Files, long Bytes, long Wanted, long Removed, long Refused);

/// <summary>A source as this node knows it since it was started.</summary>
/// <param name="Source" example="node b">Its name: <c>node ID</c>, <c>share NAME</c> or <c>stream NAME</c>.</param>
/// <param name="State">
/// <c>healthy</c>; <c>unknown</c> before it was asked; <c>probing</c>; <c>unreachable</c>: it does not answer; <c>paused</c>: it asked to be left
/// alone; <c>demoted</c>: it sent wrong bytes of several files and is asked last.
/// </param>
/// <param name="Reason">Why it is not just healthy; what it last did wrong.</param>
/// <param name="Since">Since when it is in this state; null where that is not kept.</param>
/// <param name="Until">When it is asked again as before; null where it is now.</param>
/// <param name="Strikes">Files of which it sent wrong bytes lately: each asks others first for a while.</param>
/// <param name="Requests">Requests in flight there.</param>
/// <param name="BytesPerSecond">Its measured rate; null where too little came.</param>
public sealed record KnownSourceResource(
    string Source,
    string State,
    string? Reason,
    DateTimeOffset? Since,
    DateTimeOffset? Until,
    int Strikes,
    int Requests,
    long? BytesPerSecond
);
