namespace FileTransfer.Cluster.Gossip;

/// <summary>Whether an announcement's key is one that this node is told to trust under that name.</summary>
public enum PeerStanding
{
    Unknown,
    Trusted,

    /// <summary>The name is trusted with another key.</summary>
    Conflict,
    Revoked,
}
