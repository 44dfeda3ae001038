using System.Threading.RateLimiting;

namespace FileTransfer.Concurrency;

/// <summary>A limiter for each key, kept while somebody holds a part of it or has taken one lately.</summary>
/// <remarks>
/// A <see cref="PartitionedRateLimiter{TResource}"/> does the same with a timer of its own that wakes the process ten times a second for as
/// long as it lives, each of a chain of them. Here whoever asks does that work.
/// </remarks>
/// <param name="create">Makes one; where it is replenished, that is left to whoever asks.</param>
/// <param name="time">Says when those that nobody uses are looked for.</param>
public sealed class KeyedLimiters<TKey>(Func<TKey, RateLimiter> create, TimeProvider time)
    where TKey : notnull
{
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(10);

    private readonly Dictionary<TKey, RateLimiter> _limiters = [];
    private readonly Lock _gate = new();
    private long _lookedAt = time.GetTimestamp();

    /// <summary>How many are kept.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _limiters.Count;
            }
        }
    }

    public RateLimitLease TryAcquire(TKey key)
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_lookedAt) >= _idle)
            {
                ForgetIdle();
                _lookedAt = time.GetTimestamp();
            }

            ref var limiter = ref CollectionsMarshal.GetValueRefOrAddDefault(_limiters, key, out _);
            limiter ??= create(key);
            (limiter as ReplenishingRateLimiter)?.TryReplenish();
            return limiter.AttemptAcquire();
        }
    }

    private void ForgetIdle()
    {
        foreach (var (key, limiter) in _limiters)
        {
            // One that is not replenished is not known to be full, and so never idle.
            (limiter as ReplenishingRateLimiter)?.TryReplenish();
            if (limiter.IdleDuration is not null)
            {
                _limiters.Remove(key);
                limiter.Dispose();
            }
        }
    }
}
