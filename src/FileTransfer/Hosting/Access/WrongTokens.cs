using System.Threading.RateLimiting;

namespace FileTransfer.Hosting.Access;

/// <summary>Counts the wrong tokens that come from an address.</summary>
internal sealed class WrongTokens(IOptions<CallerLimits> limits) : IDisposable
{
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    private readonly PartitionedRateLimiter<IPAddress> _limiter = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address =>
        RateLimitPartition.GetFixedWindowLimiter(
            address,
            _ => new FixedWindowRateLimiterOptions { PermitLimit = limits.Value.WrongTokensPerMinute, Window = _minute }
        )
    );

    public void Dispose() => _limiter.Dispose();

    /// <returns>Null, or for how long no more wrong ones are looked at one by one.</returns>
    public TimeSpan? Count(HttpContext context)
    {
        using var lease = _limiter.AttemptAcquire(context.Connection.RemoteIpAddress ?? IPAddress.None);
        return lease.IsAcquired ? null
            : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait
            : _minute;
    }
}
