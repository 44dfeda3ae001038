namespace FileTransfer.Catalog.Replicas;

/// <summary>What nodes of one database tell each other of replicas, each time after the commit.</summary>
public static class ReplicaNotifications
{
    /// <summary>A replica was ended by somebody else than its holder.</summary>
    public static readonly NotificationChannel<EndedReplica> Ended = new(
        "filetransfer_ended",
        ended => $"{ended.Node} {ended.Key}",
        EndedReplica.Parse
    );

    /// <summary>Replicas of the node that waited became ready by what another node did.</summary>
    public static readonly NotificationChannel<NodeId> Ready = new("filetransfer_ready", node => node.Value, NodeId.FromText);
}

public sealed record EndedReplica(NodeId Node, FileKey Key)
{
    internal static EndedReplica? Parse(string text) =>
        text.Split(' ') is [var id, var hex] && NodeId.FromText(id) is { } node && FileKey.TryParse(hex, out var key)
            ? new EndedReplica(node, key)
            : null;
}
