using System.Threading.RateLimiting;

namespace FileTransfer.Hosting.Access;

/// <summary>Counts the wrong tokens that come from an address.</summary>
internal sealed class WrongTokens(IOptions<CallerLimits> limits, TimeProvider time)
{
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    private readonly KeyedLimiters<IPAddress> _limiters = new(
        _ => new FixedWindowRateLimiter(
            new FixedWindowRateLimiterOptions
            {
                PermitLimit = limits.Value.WrongTokensPerMinute,
                Window = _minute,
                AutoReplenishment = false,
            }
        ),
        time
    );

    /// <returns>Null, or for how long no more wrong ones are looked at one by one.</returns>
    public TimeSpan? Count(HttpContext context)
    {
        using var lease = _limiters.TryAcquire(context.Connection.RemoteIpAddress ?? IPAddress.None);
        return lease.IsAcquired ? null
            : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait
            : _minute;
    }
}
