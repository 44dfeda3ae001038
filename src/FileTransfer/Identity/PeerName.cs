namespace FileTransfer.Identity;

/// <summary>A node among those of all clusters.</summary>
public sealed record PeerName(string Cluster, NodeId Node)
{
    /// <summary>Reads <c>CLUSTER/NODE</c>; null where the text is something else. A cluster's id has the form of a node's.</summary>
    public static PeerName? FromText(string? text) =>
        text?.Split('/') is [var cluster, var node] && NodeId.FromText(cluster) is not null && NodeId.FromText(node) is { } id
            ? new PeerName(cluster, id)
            : null;

    public override string ToString() => $"{Cluster}/{Node}";
}
