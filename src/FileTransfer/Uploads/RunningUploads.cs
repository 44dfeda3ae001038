namespace FileTransfer.Uploads;

/// <summary>
/// The framed uploads whose bodies come in now. Where one has fallen silent, a newer one of the same file ends it and goes on with what it
/// brought: its sender has come back on another connection, or somebody else brings the file. Those that both bring bytes go on side by side.
/// </summary>
public sealed class RunningUploads(TimeProvider time)
{
    /// <summary>A sender that is there brings a byte within this time.</summary>
    private static readonly TimeSpan _silent = TimeSpan.FromSeconds(1);

    /// <summary>How long an upload that was ended may take to close its partial.</summary>
    private static readonly TimeSpan _toClose = TimeSpan.FromSeconds(5);

    /// <summary>How long what has come takes to be written, before the next byte is waited for.</summary>
    private static readonly TimeSpan _toWrite = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly Dictionary<FileKey, List<Running>> _running = [];

    /// <summary>Says that an upload takes its body from now on, until the answer is disposed.</summary>
    public IDisposable Begin(FileKey key, TransferMeter? meter)
    {
        var running = new Running(this, key, meter);
        lock (_lock)
        {
            if (!_running.TryGetValue(key, out var ofFile))
            {
                _running[key] = ofFile = [];
            }

            ofFile.Add(running);
        }

        return running;
    }

    /// <summary>Ends the uploads of a file that wait for bytes in vain, and waits until what they brought can be taken over.</summary>
    public async Task TakeOverAsync(FileKey key, CancellationToken cancellationToken)
    {
        Running[] others;
        lock (_lock)
        {
            others = _running.TryGetValue(key, out var ofFile) ? [.. ofFile] : [];
        }

        foreach (var other in others)
        {
            await TakeOverAsync(other, cancellationToken);
        }
    }

    private async Task TakeOverAsync(Running other, CancellationToken cancellationToken)
    {
        if (other.Meter is not { } meter)
        {
            return;
        }

        // What has come is being written; its sender is not waited for just then.
        if (meter.SenderAwaited == TimeSpan.Zero && await IsClosedWithinAsync(other, _toWrite, cancellationToken))
        {
            return;
        }

        var awaited = meter.SenderAwaited;
        if (awaited == TimeSpan.Zero)
        {
            return;
        }

        // A timer may fire a moment before the meter's clock has come as far.
        if (awaited < _silent && await IsClosedWithinAsync(other, _silent - awaited + _toWrite, cancellationToken))
        {
            return;
        }

        if (meter.SenderAwaited < _silent)
        {
            return;
        }

        meter.EndBody(
            new BadHttpRequestException(
                "The body stopped arriving, and another upload of the same file has taken over what was received.",
                StatusCodes.Status408RequestTimeout
            )
        );
        await IsClosedWithinAsync(other, _toClose, cancellationToken);
    }

    private async Task<bool> IsClosedWithinAsync(Running other, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await other.Closed.WaitAsync(limit, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void End(Running running)
    {
        lock (_lock)
        {
            var ofFile = _running[running.Key];
            ofFile.Remove(running);
            if (ofFile.Count == 0)
            {
                _running.Remove(running.Key);
            }
        }
    }

    private sealed class Running(RunningUploads uploads, FileKey key, TransferMeter? meter) : IDisposable
    {
        private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public FileKey Key => key;

        public TransferMeter? Meter => meter;

        public Task Closed => _closed.Task;

        public void Dispose()
        {
            uploads.End(this);
            _closed.TrySetResult();
        }
    }
}
