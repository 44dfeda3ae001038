namespace FileTransfer.Contracts;

/// <summary>The sources that this node has met.</summary>
public sealed record SourcesResource(string Node, IReadOnlyList<KnownSourceResource> Sources);

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
