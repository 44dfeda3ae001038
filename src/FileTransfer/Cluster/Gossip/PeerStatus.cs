namespace FileTransfer.Cluster.Gossip;

/// <summary>What this node holds of a peer.</summary>
public enum PeerStatus
{
    /// <summary>In this run of its process it has answered nobody yet.</summary>
    Unknown,

    /// <summary>It has answered, here or at a trusted peer.</summary>
    Alive,

    /// <summary>It did not answer a node and others that this one asked; it may still refute that.</summary>
    Suspect,

    /// <summary>It was suspected and has not refuted that in time.</summary>
    Dead,

    /// <summary>Its announcement has run out, and it has made no newer one.</summary>
    Expired,
}
