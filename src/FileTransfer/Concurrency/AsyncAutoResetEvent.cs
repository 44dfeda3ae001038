namespace FileTransfer.Concurrency;

/// <summary>Wakes a loop early. Setting it often while nobody waits wakes once. A wait that ends by its time throws nothing inside: loops wait for ever.</summary>
public class AsyncAutoResetEvent
{
    private volatile TaskCompletionSource _signal = NewSignal();

    public void Set()
    {
        OnSet();
        Signal();
    }

    /// <summary>Waits until set, or until <paramref name="atMost"/> has passed.</summary>
    /// <returns>Whether it was set.</returns>
    public async Task<bool> WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        for (var left = atMost; ; left = LeftOf(atMost, time.GetElapsedTime(since)))
        {
            var signal = _signal;
            await signal.Task.WaitAsync(left, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (!signal.Task.IsCompleted)
            {
                return false;
            }

            // Of all who wait, one takes it.
            if (Interlocked.CompareExchange(ref _signal, NewSignal(), signal) == signal)
            {
                return true;
            }
        }
    }

    /// <summary>Comes before whoever waits is woken.</summary>
    protected virtual void OnSet() { }

    /// <summary>Wakes who waits.</summary>
    protected void Signal() => _signal.TrySetResult();

    private static TimeSpan LeftOf(TimeSpan atMost, TimeSpan passed) =>
        atMost == Timeout.InfiniteTimeSpan ? atMost
        : atMost > passed ? atMost - passed
        : TimeSpan.Zero;

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
