namespace FileTransfer.Catalog.Replicas;

/// <summary>Where one node's copy of one file stands.</summary>
public enum ReplicaState
{
    /// <summary>To be downloaded: ready, backing off, or waiting for what its reason names.</summary>
    Wanted,

    /// <summary>A lane holds the advisory lock and fetches it.</summary>
    Downloading,

    /// <summary>Proven and durable here.</summary>
    Stored,

    /// <summary>Leaves this node, removed from the cluster or not wanted here any more; its bytes are being deleted.</summary>
    Removing,

    /// <summary>All attempts are spent; retried when a new source appears or a person asks.</summary>
    Failed,

    /// <summary>Set aside by a person.</summary>
    Paused,
}
