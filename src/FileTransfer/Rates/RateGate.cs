namespace FileTransfer.Rates;

/// <summary>Lets bytes pass at a rate that can be changed at any time, shared evenly by the flows that want some.</summary>
/// <remarks>
/// <para>A bucket of tokens that may be overdrawn by one piece: whoever finds it not empty takes a piece, and the next waits until that is
/// paid for. What a late timer or a taker that waited is owed is kept, so that the rate holds over seconds also on a busy machine; what
/// nobody asked for is kept for 50 ms only.</para>
/// <para>Who waits is served by self-clocked fair queueing: each flow has had as many bytes as any other, whatever its number of takers
/// and the size of their pieces.</para>
/// <para>Without a rate a take is one read of a field.</para>
/// </remarks>
public sealed class RateGate : IDisposable
{
    private const double IdleSeconds = 0.05;
    private const double OwedSeconds = 0.5;
    private const double PieceSeconds = 0.05;
    private const int SmallestPiece = 1024;

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Waiter, (double Finish, long Order)> _waiting = new();
    private readonly ITimer _timer;
    private long _bytesPerSecond;
    private double _credit;
    private long _at;
    private double _clock;
    private long _order;

    public RateGate(TimeProvider time)
    {
        _time = time;
        _at = time.GetTimestamp();
        _timer = time.CreateTimer(_ => Pump(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public bool IsLimited => Volatile.Read(ref _bytesPerSecond) != 0;

    /// <summary>The rate in force; null = none. A change counts at once, for those who wait too.</summary>
    public ByteRate? Rate
    {
        get => Volatile.Read(ref _bytesPerSecond) is > 0 and var rate ? new ByteRate(rate) : null;
        set
        {
            lock (_lock)
            {
                Refill();
                var before = _bytesPerSecond;
                var after = value?.BytesPerSecond ?? 0;

                // Debt and credit are times: a piece that went out quickly is not to be paid for slowly.
                _credit = before > 0 && after > 0 ? _credit * after / before : 0;
                Volatile.Write(ref _bytesPerSecond, after);
                Serve();
            }
        }
    }

    /// <summary>Waits until bytes may pass and takes some.</summary>
    /// <param name="flow">Who shares with others; each flow belongs to one gate.</param>
    /// <param name="most">The bytes there are; at least 1.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The bytes that may pass now: 1 to <paramref name="most"/>.</returns>
    public ValueTask<int> TakeAsync(RateFlow flow, int most, CancellationToken cancellationToken) =>
        IsLimited ? TakeLimitedAsync(flow, most, cancellationToken) : new ValueTask<int>(most);

    public void Dispose() => _timer.Dispose();

    private ValueTask<int> TakeLimitedAsync(RateFlow flow, int most, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var piece = PieceOf(most);
            var finish = Math.Max(_clock, flow.Finish) + piece;
            Refill();
            if (_bytesPerSecond == 0 || (_waiting.Count == 0 && _credit >= 0))
            {
                flow.Finish = finish;
                _clock = finish;
                _credit -= piece;
                return new ValueTask<int>(piece);
            }

            var waiter = new Waiter(most, cancellationToken);
            flow.Finish = finish;
            _waiting.Enqueue(waiter, (finish, _order++));
            if (_waiting.Count == 1)
            {
                Arm();
            }

            return new ValueTask<int>(waiter.Task);
        }
    }

    private int PieceOf(int most) =>
        _bytesPerSecond == 0 ? most : (int)Math.Clamp(_bytesPerSecond * PieceSeconds, Math.Min(SmallestPiece, most), most);

    private void Pump()
    {
        lock (_lock)
        {
            Refill();
            Serve();
        }
    }

    private void Serve()
    {
        while (_waiting.Count > 0 && (_bytesPerSecond == 0 || _credit >= 0))
        {
            _waiting.TryDequeue(out var waiter, out var at);
            var piece = PieceOf(waiter!.Most);
            if (waiter.TryGo(piece))
            {
                _clock = Math.Max(_clock, at.Finish);
                _credit -= piece;
            }
        }

        if (_waiting.Count > 0)
        {
            Arm();
        }
    }

    private void Arm()
    {
        var milliseconds = Math.Ceiling(Math.Max(0, -_credit) / _bytesPerSecond * 1000);
        _timer.Change(TimeSpan.FromMilliseconds(Math.Max(1, milliseconds)), Timeout.InfiniteTimeSpan);
    }

    private void Refill()
    {
        var now = _time.GetTimestamp();
        var earned = _time.GetElapsedTime(_at, now).TotalSeconds * _bytesPerSecond;
        _at = now;
        var most = _bytesPerSecond * (_waiting.Count > 0 ? OwedSeconds : IdleSeconds);
        _credit = Math.Max(_credit, Math.Min(_credit + earned, most));
    }

    private sealed class Waiter : TaskCompletionSource<int>
    {
        private readonly CancellationTokenRegistration _cancelled;

        public Waiter(int most, CancellationToken cancellationToken)
            : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
            Most = most;
            _cancelled = cancellationToken.UnsafeRegister(
                static (waiter, token) => ((Waiter)waiter!).TrySetCanceled(token),
                this
            );
        }

        public int Most { get; }

        /// <summary>Lets it go on; not when it was cancelled before.</summary>
        public bool TryGo(int piece)
        {
            _cancelled.Unregister();
            return TrySetResult(piece);
        }
    }
}

/// <summary>One of those who share a gate evenly.</summary>
public sealed class RateFlow
{
    /// <summary>When, in bytes of the gate's own clock, what it took is paid for.</summary>
    internal double Finish { get; set; }
}
