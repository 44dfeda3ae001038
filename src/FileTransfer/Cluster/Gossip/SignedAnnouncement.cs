namespace FileTransfer.Cluster.Gossip;

/// <summary>An announcement with the words that are passed on.</summary>
/// <param name="Content">What it says.</param>
/// <param name="Text">A JWS in its compact form (RFC 7515, ES256), signed by the first key of <paramref name="Content"/>.</param>
public sealed record SignedAnnouncement(Announcement Content, string Text)
{
    /// <summary>Characters; a longer one is refused.</summary>
    public const int Longest = 4096;

    public PeerName Name => Content.Name;

    internal AnnouncementEdition Edition { get; } = new(Content.Name, Content.Generation, Content.Version);

    internal UInt128 Digest { get; } = GossipDigest.Of(Content);

    /// <summary>Whether it was made later than another of the same node.</summary>
    public bool IsNewerThan(SignedAnnouncement other) => Edition.IsNewerThan(other.Edition);
}
