using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Gossip;

/// <summary>What a node says of itself to the nodes of all clusters; the newest one counts.</summary>
/// <param name="Name">Who it is.</param>
/// <param name="Generation">Of the run of its process: milliseconds since 1970 when it began, or one more than the last run's.</param>
/// <param name="Version">Grows with each announcement of a run.</param>
/// <param name="Urls">Where it answers, at most <see cref="MostUrls"/>.</param>
/// <param name="Role">As configured.</param>
/// <param name="Leads">It leads its cluster now.</param>
/// <param name="FeedEpoch">Of its cluster's feed; null before it has joined.</param>
/// <param name="Buckets">Those that it has files of, at most <see cref="MostBuckets"/>; empty where it has more, and may have any.</param>
/// <param name="Keys">At most two, the one that signs first. A second one is the former key, as <paramref name="Rotation"/> proves.</param>
/// <param name="Rotation">By the second key over the first one's SubjectPublicKeyInfo; null where there is one key.</param>
/// <param name="IssuedAt">By the node's own clock.</param>
/// <param name="ExpiresAt">Not believed any more afterwards.</param>
public sealed record Announcement(
    PeerName Name,
    long Generation,
    long Version,
    IReadOnlyList<Uri> Urls,
    string Role,
    bool Leads,
    Guid? FeedEpoch,
    IReadOnlyList<string> Buckets,
    IReadOnlyList<PublicKey> Keys,
    byte[]? Rotation,
    DateTimeOffset IssuedAt,
    DateTimeOffset ExpiresAt
)
{
    public const int MostUrls = 4;

    public const int MostBuckets = 32;

    /// <summary>The longest that one is believed.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>Whether it says no more than another one of the same run, made anew before that runs out.</summary>
    public bool IsRenewalOf(Announcement other) =>
        (Name, Generation, Role, Leads, FeedEpoch) == (other.Name, other.Generation, other.Role, other.Leads, other.FeedEpoch)
        && Urls.SequenceEqual(other.Urls)
        && Buckets.SequenceEqual(other.Buckets)
        && Keys.SequenceEqual(other.Keys);
}
