namespace FileTransfer.Concurrency;

/// <summary>How long to wait after failures in a row: a bound that doubles with each.</summary>
/// <param name="First">The bound after the first failure.</param>
/// <param name="Longest">No bound is longer.</param>
public readonly record struct Backoff(TimeSpan First, TimeSpan Longest)
{
    private const int MostDoublings = 30;

    /// <param name="before">Failures before the last one.</param>
    public TimeSpan Bound(int before) =>
        TimeSpan.FromSeconds(
            Math.Min(Longest.TotalSeconds, First.TotalSeconds * Math.Pow(2, Math.Clamp(before, 0, MostDoublings)))
        );

    /// <summary>Full jitter: drawn evenly from nothing to the bound, so that many that failed together do not come back together.</summary>
    public TimeSpan Draw(int before, Random random) => random.NextDouble() * Bound(before);
}
