using System.Threading.RateLimiting;
using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Gossip;

/// <summary>How often somebody may gossip: who takes a trusted name at an address has a rate of its own there, all others there share one.</summary>
public sealed class GossipRates : IDisposable
{
    /// <summary>A node of a cluster of thousands is asked about six times in an interval; intervals may be short.</summary>
    public const int PerSecond = 100;

    private readonly PartitionedRateLimiter<(string Name, IPAddress? Address)> _limiter = PartitionedRateLimiter.Create<
        (string Name, IPAddress? Address),
        (string, IPAddress?)
    >(caller =>
        RateLimitPartition.GetTokenBucketLimiter(
            caller,
            _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = 2 * PerSecond,
                TokensPerPeriod = PerSecond,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                QueueLimit = 0,
            }
        )
    );

    private readonly TrustedKeys _trust;

    public GossipRates(TrustedKeys trust) => _trust = trust;

    /// <summary>When to come again; null where it may gossip now.</summary>
    /// <param name="from">Who it says it is; not proven yet.</param>
    public TimeSpan? RetryAfter(PeerName? from, IPAddress? address)
    {
        var name = from is not null && _trust.Judge(from).Keys.Count > 0 ? from.ToString() : "";
        using var lease = _limiter.AttemptAcquire((name, address));
        return lease.IsAcquired ? null
            : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait
            : TimeSpan.FromSeconds(1);
    }

    public void Dispose() => _limiter.Dispose();
}
