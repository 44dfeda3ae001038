namespace FileTransfer.Downloads;

/// <summary>When a failed download is tried again.</summary>
public sealed class RetryPolicy(IOptions<DownloadOptions> options, Random random)
{
    public bool IsSpent(int failedAttempts) => failedAttempts >= options.Value.MaxAttempts;

    /// <summary>A pause that something else asks for, within the bound of all pauses.</summary>
    public TimeSpan Capped(TimeSpan pause) => pause < options.Value.BackoffCap ? pause : options.Value.BackoffCap;

    /// <param name="failedAttempts">How many have failed, from 1.</param>
    public TimeSpan NextDelay(int failedAttempts)
    {
        lock (random)
        {
            return new Backoff(options.Value.BackoffBase, options.Value.BackoffCap).Draw(failedAttempts - 1, random);
        }
    }
}
