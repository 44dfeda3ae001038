using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Gossip;

/// <summary>What there is to be shown of a peer.</summary>
/// <param name="Words">Its newest announcement.</param>
/// <param name="Status">Of one that is not trusted: <see cref="PeerStatus.Unknown"/>.</param>
/// <param name="Phi">How much its silence surprises this node, which has heard it before: 1 = once in 10 times, 8 = once in 10^8; null with too few samples.</param>
/// <param name="Since">When its status began, in the time that the machine is told.</param>
/// <param name="Reason">In words, why it has this status.</param>
public sealed record PeerView(
    SignedAnnouncement Words,
    TrustStanding Standing,
    PeerStatus Status,
    double? Phi,
    TimeSpan Since,
    string Reason
)
{
    public PeerName Name => Words.Name;

    /// <summary>It is trusted, and answers.</summary>
    public bool IsAlive => Standing == TrustStanding.Trusted && Status == PeerStatus.Alive;

    /// <param name="since"><see cref="Since"/> by the clock.</param>
    public PeerResource ToResource(DateTimeOffset since)
    {
        var words = Words.Content;
        return new PeerResource(
            Name.Node.Value,
            Name.Cluster,
            words.Urls[0],
            IsAlive,
            Phi is { } phi ? Math.Round(phi, 2) : null,
            since,
            Reason,
            Standing == TrustStanding.Trusted,
            Status.ToString().ToLowerInvariant(),
            words.Role,
            words.Leads,
            words.Keys[0].ToString(),
            words.Buckets
        );
    }
}
