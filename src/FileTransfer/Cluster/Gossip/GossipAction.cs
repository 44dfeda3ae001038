namespace FileTransfer.Cluster.Gossip;

/// <summary>Something to do, asked for by the machine.</summary>
public abstract record GossipAction
{
    private GossipAction() { }

    /// <summary>Send a message, and report the answer.</summary>
    /// <param name="Exchange">A number for what comes of it.</param>
    /// <param name="To">Whose answer counts; null for a seed, which may be anybody.</param>
    /// <param name="Urls">Where to, the first that answers.</param>
    /// <param name="Patience">How long the answer is waited for.</param>
    public sealed record Ask(long Exchange, PeerName? To, IReadOnlyList<Uri> Urls, GossipNews News, TimeSpan Patience)
        : GossipAction;

    /// <summary>Answer a request.</summary>
    public sealed record Answer(long Request, GossipNews News) : GossipAction;

    /// <summary>
    /// Make another announcement, of a generation above this one: somebody has one of this node that is newer than its own, of an earlier run
    /// with a clock that was ahead.
    /// </summary>
    public sealed record Announce(long AboveGeneration) : GossipAction;

    /// <summary>A peer's status is another one, or its announcement is one that differs in more than its times.</summary>
    public sealed record Changed(SignedAnnouncement Words, PeerStatus Before, PeerStatus Status) : GossipAction;

    /// <summary>An announcement, or a message, was not believed.</summary>
    public sealed record Refused(AnnouncementRefusal Reason) : GossipAction;

    /// <summary>A peer is not trusted any more: what goes on with it is to be ended.</summary>
    public sealed record Revoked(PeerView Peer) : GossipAction;

    /// <summary>A peer was dead for so long that it is not shown any more.</summary>
    public sealed record Forgot(PeerName Name) : GossipAction;
}
