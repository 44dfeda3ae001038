using FileTransfer.Cluster.Trust;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Gossip;

/// <summary>Who has signed a message, whether that one is trusted, and what it says then.</summary>
/// <param name="find">The newest announcement of a peer that is known; null where there is none.</param>
internal sealed class GossipSenders(
    TrustedKeys trust,
    PeerAddresses addresses,
    TimeProvider time,
    Func<PeerName, SignedAnnouncement?> find
)
{
    /// <param name="from">Who says that he sent it.</param>
    /// <param name="message">As it came.</param>
    /// <param name="isSignedBy">Whether one of these keys has signed it, and whether they are trusted.</param>
    /// <returns>Null where no key of that node that is known, or that comes along, has signed it.</returns>
    public (bool IsTrusted, GossipNews News)? Read(
        PeerName from,
        GossipMessage message,
        Func<IReadOnlyList<PublicKey>, bool, bool> isSignedBy
    )
    {
        var announced = message.Announcements is [{ } text, ..]
            ? AnnouncementText.Read(text, time.GetUtcNow()).Read?.Content
            : null;
        var isTrusted = isSignedBy(trust.Judge(from).Keys, true)
            ? true
            : WhereSignedBy(announced?.Name == from ? announced : null, isSignedBy)
                ?? WhereSignedBy(find(from)?.Content, isSignedBy);
        return isTrusted is { } trusted ? (trusted, GossipNews.From(message, trusted, ReadAnnouncement)) : null;
    }

    /// <summary>Whether what a node has said of its keys is trusted, where one of these has signed.</summary>
    private bool? WhereSignedBy(Announcement? said, Func<IReadOnlyList<PublicKey>, bool, bool> isSignedBy) =>
        said is not null && IsTrusted(said) is var isTrusted && isSignedBy(said.Keys, isTrusted) ? isTrusted : null;

    private bool IsTrusted(Announcement content) => trust.Judge(content.Name, content.Keys, content.Rotation).IsTrusted;

    private (SignedAnnouncement? Read, AnnouncementRefusal? Refused) ReadAnnouncement(string text)
    {
        var read = AnnouncementText.Read(text, time.GetUtcNow());
        return read.Read is { Content.Urls: var urls } && urls.Any(url => addresses.FaultOf(url) is not null)
            ? (null, AnnouncementRefusal.Address)
            : read;
    }
}
