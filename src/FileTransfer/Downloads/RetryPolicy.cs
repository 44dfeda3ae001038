using Microsoft.Extensions.Options;

namespace FileTransfer.Downloads;

/// <summary>When a failed download is tried again: exponential back-off with full jitter.</summary>
/// <remarks>
/// Full jitter: the pause is drawn evenly from nothing to the bound, so that many followers that lost one source do not come back at once.
/// </remarks>
public sealed class RetryPolicy(IOptions<DownloadOptions> options, Random random)
{
    public bool IsSpent(int failedAttempts) => failedAttempts >= options.Value.MaxAttempts;

    /// <summary>A pause that something else asks for, within the bound of all pauses.</summary>
    public TimeSpan Capped(TimeSpan pause) => pause < options.Value.BackoffCap ? pause : options.Value.BackoffCap;

    /// <param name="failedAttempts">How many have failed, from 1.</param>
    public TimeSpan NextDelay(int failedAttempts)
    {
        var doublings = Math.Min(failedAttempts - 1, 30);
        var bound = Math.Min(
            options.Value.BackoffCap.TotalSeconds,
            options.Value.BackoffBase.TotalSeconds * Math.Pow(2, doublings)
        );
        lock (random)
        {
            return TimeSpan.FromSeconds(random.NextDouble() * bound);
        }
    }
}
