namespace FileTransfer.Cluster.Gossip;

/// <summary>Something that happened, reported to the machine.</summary>
/// <remarks>Every <see cref="GossipAction.Ask"/> ends with one <see cref="Answered"/> or <see cref="Failed"/>.</remarks>
public abstract record GossipEvent
{
    private GossipEvent() { }

    /// <summary>An interval has passed.</summary>
    /// <param name="Clock">By which announcements run out.</param>
    public sealed record Tick(DateTimeOffset Clock) : GossipEvent;

    /// <summary>A message came. It is answered by one <see cref="GossipAction.Answer"/>, at once or later.</summary>
    /// <param name="Request">A number for the answer.</param>
    /// <param name="From">Who signed it.</param>
    /// <param name="IsTrusted">The key of the signature is trusted under this name.</param>
    public sealed record Requested(long Request, PeerName From, bool IsTrusted, GossipNews News) : GossipEvent;

    /// <summary>An answer came to what was asked.</summary>
    /// <param name="From">Who signed it.</param>
    /// <param name="IsTrusted">The key of the signature is trusted under this name.</param>
    public sealed record Answered(long Exchange, PeerName From, bool IsTrusted, GossipNews News) : GossipEvent;

    /// <summary>No answer came in time, or none that can be used.</summary>
    /// <param name="Reason">In words, such as <c>connection refused</c>.</param>
    public sealed record Failed(long Exchange, string Reason) : GossipEvent;

    /// <summary>This node has made another announcement of itself.</summary>
    public sealed record Announced(SignedAnnouncement Words) : GossipEvent;

    /// <summary>Whom to trust has changed.</summary>
    /// <param name="Name">Whom this is about; null = anybody.</param>
    public sealed record TrustChanged(PeerName? Name) : GossipEvent;

    /// <summary>Whom to ask while nobody is known, and sometimes afterwards.</summary>
    public sealed record SeedsChanged(IReadOnlyList<Uri> Seeds) : GossipEvent;
}
