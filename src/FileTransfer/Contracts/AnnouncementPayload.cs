namespace FileTransfer.Contracts;

/// <summary>What a node says of itself to the nodes of all clusters: the payload of a JWS.</summary>
/// <param name="Cluster" example="berlin">Of the node.</param>
/// <param name="Node" example="node-1">Its id.</param>
/// <param name="Generation">Of the run of its process; grows.</param>
/// <param name="Version">Grows with each announcement of a run.</param>
/// <param name="Urls">Where it answers, 1 to 4.</param>
/// <param name="Role">As configured: <c>auto</c>, <c>follower</c> or <c>standalone</c>.</param>
/// <param name="Leads">It leads its cluster.</param>
/// <param name="FeedEpoch">Of its cluster's feed; null before it has joined.</param>
/// <param name="Buckets">Those that it has files of, in hex, at most 32; none where it has more, and may have any.</param>
/// <param name="Keys">One or two public keys (base64 of SubjectPublicKeyInfo): the one that signs, and the one that did before.</param>
/// <param name="Rotation">Base64 of the former key's signature over the SubjectPublicKeyInfo of the one that signs; null where there is one key.</param>
/// <param name="IssuedAt">By the node's own clock.</param>
/// <param name="ExpiresAt">Not believed any more afterwards; at most 24 hours later.</param>
public sealed record AnnouncementPayload(
    string Cluster,
    string Node,
    long Generation,
    long Version,
    IReadOnlyList<string> Urls,
    string Role,
    bool Leads,
    Guid? FeedEpoch,
    IReadOnlyList<string> Buckets,
    IReadOnlyList<string> Keys,
    string? Rotation,
    DateTimeOffset IssuedAt,
    DateTimeOffset ExpiresAt
);
