using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Trust;

public enum TrustStanding
{
    /// <summary>Nothing lists it.</summary>
    Unknown,

    /// <summary>It is asked, and let in, by the keys that count.</summary>
    Trusted,

    /// <summary>It is known by another key, which has not handed over to this one.</summary>
    Conflict,

    /// <summary>A person has ended it.</summary>
    Revoked,
}

/// <summary>Whether a node is believed.</summary>
/// <param name="Keys">Those that count, at most two, the newest first; none where it is unknown or revoked.</param>
public sealed record TrustVerdict(TrustStanding Standing, IReadOnlyList<PublicKey> Keys)
{
    public static readonly TrustVerdict Unknown = new(TrustStanding.Unknown, []);

    public static readonly TrustVerdict Revoked = new(TrustStanding.Revoked, []);

    public bool IsTrusted => Standing == TrustStanding.Trusted;
}
