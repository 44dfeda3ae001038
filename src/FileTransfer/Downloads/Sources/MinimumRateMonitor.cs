namespace FileTransfer.Downloads.Sources;

/// <summary>What a source has sent to all requests of this node together.</summary>
public sealed class ByteCounter
{
    private long _received;

    public long Received => Interlocked.Read(ref _received);

    public void Add(long bytes) => Interlocked.Add(ref _received, bytes);
}

/// <summary>
/// Cancels a request when its source sent less than a floor of bytes within a period to all requests together, or nothing to this one.
/// Not a time-out of the whole: a slow source may take its time.
/// </summary>
/// <remarks>Measures from <see cref="Start"/> on: what this node itself waits for is nobody's slowness.</remarks>
public sealed class MinimumRateMonitor : IDisposable
{
    private readonly CancellationTokenSource _ended;
    private readonly ByteCounter _source;
    private readonly TimeSpan _period;
    private readonly long _floorPerPeriod;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private long _mark;
    private long _mine;
    private volatile bool _hasStalled;

    public MinimumRateMonitor(
        int floorBytesPerSecond,
        TimeSpan period,
        ByteCounter source,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        _source = source;
        _period = floorBytesPerSecond == 0 ? Timeout.InfiniteTimeSpan : period;
        _floorPerPeriod = (long)(floorBytesPerSecond * period.TotalSeconds);
        _ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _timer = time.CreateTimer(
            static monitor => ((MinimumRateMonitor)monitor!).Judge(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
    }

    public CancellationToken Token => _ended.Token;

    public bool HasStalled => _hasStalled;

    /// <summary>From here on the head of an answer is waited for, which has a time of its own, if that is longer.</summary>
    public void StartForHead(TimeSpan patience)
    {
        lock (_gate)
        {
            BeginPeriod();
            if (_period != Timeout.InfiniteTimeSpan && patience > _period)
            {
                _timer.Change(patience, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>From here on bytes are waited for.</summary>
    public void Start()
    {
        lock (_gate)
        {
            BeginPeriod();
        }
    }

    /// <summary>From here on this node itself is what is waited for, until <see cref="Start"/>.</summary>
    public void Pause() => _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Bytes came; enough of them begin a new period.</summary>
    public void Received(long bytes)
    {
        _source.Add(bytes);
        lock (_gate)
        {
            _mine += bytes;
            if (_source.Received - _mark >= _floorPerPeriod)
            {
                BeginPeriod();
            }
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _ended.Dispose();
    }

    private void Judge()
    {
        lock (_gate)
        {
            if (_mine > 0 && _source.Received - _mark >= _floorPerPeriod)
            {
                BeginPeriod();
                return;
            }
        }

        _hasStalled = true;
        try
        {
            _ended.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The request ended in this moment.
        }
    }

    private void BeginPeriod()
    {
        _mark = _source.Received;
        _mine = 0;
        _timer.Change(_period, Timeout.InfiniteTimeSpan);
    }
}
