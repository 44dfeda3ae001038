namespace FileTransfer.Cluster.Gossip;

/// <summary>Why an announcement is not taken; the words of metrics and pages are these, in lower case.</summary>
public enum AnnouncementRefusal
{
    /// <summary>It is no announcement, or a longer one than there may be.</summary>
    Malformed,

    /// <summary>Its signature is not that of its first key.</summary>
    Signature,

    /// <summary>It is of the future, or has expired.</summary>
    Clock,

    /// <summary>It names an address that no other node can answer at.</summary>
    Address,

    /// <summary>A newer one of the node is known.</summary>
    Older,

    /// <summary>Its second key has not signed the first one, or it is of another key than the node is known by.</summary>
    Key,
}
