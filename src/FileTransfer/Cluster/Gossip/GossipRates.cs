using System.Threading.RateLimiting;
using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Gossip;

/// <summary>How often somebody may gossip: who takes a trusted name at an address has a rate of its own there, all others there share one.</summary>
public sealed class GossipRates(TrustedKeys trust, TimeProvider time)
{
    /// <summary>A node of a cluster of thousands is asked about six times in an interval; intervals may be short.</summary>
    public const int PerSecond = 100;

    private readonly KeyedLimiters<(string Name, IPAddress? Address)> _limiters = new(
        _ => new TokenBucketRateLimiter(
            new TokenBucketRateLimiterOptions
            {
                TokenLimit = 2 * PerSecond,
                TokensPerPeriod = PerSecond,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                QueueLimit = 0,
                AutoReplenishment = false,
            }
        ),
        time
    );

    /// <summary>When to come again; null where it may gossip now.</summary>
    /// <param name="from">Who it says it is; not proven yet.</param>
    public TimeSpan? RetryAfter(PeerName? from, IPAddress? address)
    {
        var name = from is not null && trust.Judge(from).Keys.Count > 0 ? from.ToString() : "";
        using var lease = _limiters.TryAcquire((name, address));
        return lease.IsAcquired ? null
            : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait
            : TimeSpan.FromSeconds(1);
    }
}
