using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Trust;

/// <summary>Who lists a key. One goes before those above it.</summary>
public enum TrustOrigin
{
    /// <summary>The node itself, by its row of this cluster's database.</summary>
    Member,

    /// <summary>This node's configuration.</summary>
    Settings,

    /// <summary>A person, while the cluster runs, for all its nodes.</summary>
    Stored,
}

/// <summary>A key that is listed, or a node that is not to be believed.</summary>
/// <param name="Cluster">Null for the node of this id in any cluster.</param>
/// <param name="Keys">The newest first; none = revoked.</param>
/// <param name="ChangedAt">When a person said so.</param>
/// <param name="ChangedBy">Who said so.</param>
public sealed record TrustEntry(
    NodeId Node,
    string? Cluster,
    IReadOnlyList<PublicKey> Keys,
    TrustOrigin Origin,
    DateTimeOffset? ChangedAt = null,
    string? ChangedBy = null
)
{
    public bool IsAbout(PeerName name) => Node == name.Node && (Cluster is null || Cluster == name.Cluster);
}
