namespace FileTransfer.Contracts;

/// <summary>One way of an exchange of gossip: the body of <c>POST /v1/gossip</c>, and of its answer. Of what there is too much for one message, there is a part.</summary>
/// <param name="Digest">Of all that the sender passes on: 16 bytes in base64url, the same at both where both know the same.</param>
/// <param name="Peers">What it passes on of nodes, each as <c>CLUSTER/NODE GENERATION VERSION REFUTATIONS MARKS</c>; marks are <c>a</c> (it has answered), <c>s</c> (it is suspected), both, or <c>-</c>.</param>
/// <param name="Announcements">The signed words of nodes, each as a JWS.</param>
/// <param name="Wanted">Nodes whose announcements the sender wants, each as <c>CLUSTER/NODE</c>.</param>
/// <param name="Buckets">A digest of 4 bytes for each 1,024th of the names, in base64url: where the digests differ and nothing explains it.</param>
/// <param name="Whole">Buckets whose nodes are all in <paramref name="Peers"/>.</param>
/// <param name="Complete">All that the sender knows are in <paramref name="Peers"/>.</param>
/// <param name="Probe">A request: does this node, <c>CLUSTER/NODE</c>, answer you?</param>
/// <param name="Reached">The answer to it.</param>
public sealed record GossipMessage(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Digest = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Peers = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Announcements = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Wanted = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Buckets = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<int>? Whole = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Complete = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Probe = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Reached = null
)
{
    /// <summary>Bytes of a message, at most; a longer one is refused.</summary>
    public const int Longest = 64 * 1024;
}
