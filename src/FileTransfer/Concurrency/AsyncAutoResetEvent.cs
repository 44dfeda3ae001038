using System.Threading.Channels;

namespace FileTransfer.Concurrency;

/// <summary>Wakes a loop early. Setting it often while nobody waits wakes once.</summary>
public class AsyncAutoResetEvent
{
    private readonly Channel<bool> _signals = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    public void Set()
    {
        OnSet();
        Signal();
    }

    /// <summary>Waits until set, or until <paramref name="atMost"/> has passed.</summary>
    /// <returns>Whether it was set.</returns>
    public async Task<bool> WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var timer = Task.Delay(atMost, time, limit.Token);
        var signal = _signals.Reader.ReadAsync(limit.Token).AsTask();
        await Task.WhenAny(timer, signal);
        await limit.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return signal.IsCompletedSuccessfully;
    }

    /// <summary>Comes before whoever waits is woken.</summary>
    protected virtual void OnSet() { }

    /// <summary>Wakes who waits.</summary>
    protected void Signal() => _signals.Writer.TryWrite(true);
}
