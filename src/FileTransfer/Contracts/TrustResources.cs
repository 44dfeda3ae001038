namespace FileTransfer.Contracts;

/// <summary>A key to be trusted.</summary>
/// <param name="PublicKey" example="MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3p…">As <c>filetransfer identity show</c> prints it.</param>
/// <param name="Cluster" example="berlin">Of the node; the node of this id in any cluster when left out.</param>
public sealed record TrustRequest(string? PublicKey, string? Cluster = null);

/// <summary>Whom this node believes.</summary>
/// <param name="Mode" example="listed"><c>listed</c>: the nodes of this cluster by their rows, and those that are listed; <c>strict</c>: these alone.</param>
public sealed record TrustListResource(string Mode, IReadOnlyList<TrustResource> Trust);

/// <summary>A node that is trusted, or is not any more.</summary>
/// <param name="Node" example="node-1">Its id.</param>
/// <param name="Cluster" example="berlin">Its cluster; null for any.</param>
/// <param name="State">
/// <c>trusted</c>, <c>revoked</c>, or <c>conflict</c>: it is listed with another key in a place that goes before this one, and this one does not count.
/// </param>
/// <param name="PublicKeys">The one that signs first, and the one that did before; none where it was revoked.</param>
/// <param name="Origin">Who lists it: <c>stored</c>, by <c>PUT /v1/trust</c>; <c>settings</c>, of this node; <c>member</c>, itself, by its row of the database.</param>
/// <param name="ChangedAt">When it was listed or revoked; null for what was not at run time. The same for who did.</param>
public sealed record TrustResource(
    string Node,
    string? Cluster,
    string State,
    IReadOnlyList<string> PublicKeys,
    string Origin,
    DateTimeOffset? ChangedAt,
    string? ChangedBy
);
