namespace FileTransfer.Downloads.Sources;

/// <summary>Cancels when less than a floor of bytes came within a period. Not a time-out of the whole: a slow source may take its time.</summary>
/// <remarks>Measures from <see cref="Start"/> on: an answer that nobody has begun to read is not slow.</remarks>
public sealed class StallWatch : IDisposable
{
    private readonly CancellationTokenSource _stalled;
    private readonly CancellationTokenSource _linked;
    private readonly TimeSpan _period;
    private readonly long _floorPerPeriod;
    private long _received;

    public StallWatch(int floorBytesPerSecond, TimeSpan period, TimeProvider time, CancellationToken cancellationToken)
    {
        _period = floorBytesPerSecond == 0 ? Timeout.InfiniteTimeSpan : period;
        _floorPerPeriod = (long)(floorBytesPerSecond * period.TotalSeconds);
        _stalled = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stalled.Token);
    }

    public CancellationToken Token => _linked.Token;

    public bool HasStalled => _stalled.IsCancellationRequested;

    /// <summary>From here on bytes are waited for.</summary>
    public void Start() => _stalled.CancelAfter(_period);

    /// <summary>Ends what runs under <see cref="Token"/>.</summary>
    public void Cancel() => _linked.Cancel();

    /// <summary>Bytes came; enough of them begin a new period.</summary>
    public void Received(long bytes)
    {
        _received += bytes;
        if (_received >= _floorPerPeriod)
        {
            _received = 0;
            _stalled.CancelAfter(_period);
        }
    }

    public void Dispose()
    {
        _linked.Dispose();
        _stalled.Dispose();
    }
}
