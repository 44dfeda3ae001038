using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Gossip;

/// <summary>Who announced itself, and is not trusted: shown, not passed on, not asked.</summary>
internal sealed record UntrustedPeer(SignedAnnouncement Words, TrustStanding Standing, TimeSpan Since)
{
    public PeerView ToView() =>
        new(
            Words,
            Standing,
            PeerStatus.Unknown,
            Phi: null,
            Since,
            Standing switch
            {
                TrustStanding.Conflict => "this name is trusted with another key",
                TrustStanding.Revoked => "it is not trusted any more",
                _ => "it is not trusted",
            }
        );
}
