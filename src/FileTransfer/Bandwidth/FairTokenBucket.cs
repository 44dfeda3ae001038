namespace FileTransfer.Bandwidth;

/// <summary>Lets bytes pass at a rate that can be changed at any time, shared evenly by the flows that want some.</summary>
/// <remarks>
/// <para>A bucket of tokens that may be overdrawn by one piece: whoever finds it not empty takes a piece, and the next waits until that is
/// paid for. While it is in use, 250 ms of the rate are kept for takers and timers that come late, so that the rate holds over seconds
/// also on a busy machine; else 50 ms.</para>
/// <para>Who waits is served by self-clocked fair queueing: each flow gets as many bytes as any other, whatever its number of takers
/// and the size of their pieces. A flow that has had less than the others because its takers were not back in time does not wait.</para>
/// <para>Without a rate a take is one read of a field.</para>
/// </remarks>
public sealed class FairTokenBucket : IDisposable
{
    private const double IdleSeconds = 0.05;
    private const double LateSeconds = 0.25;
    private const double PieceSeconds = 0.05;
    private const int SmallestPiece = 1024;
    private const int LargestDeficit = 256 * 1024;

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Waiter, (double Finish, long Order)> _waiting = new();
    private readonly ITimer _timer;
    private long _bytesPerSecond;
    private double _tokens;
    private long _at;
    private long _usedAt = long.MinValue / 2;
    private double _clock;
    private long _order;

    public FairTokenBucket(TimeProvider time)
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

                // What went out quickly is not to be paid for slowly, nor what went out slowly to be waited for longer.
                var scaled = before > 0 && after > 0 ? _tokens * after / before : 0;
                _tokens = _tokens < 0 ? Math.Max(_tokens, scaled) : Math.Min(_tokens, scaled);
                Volatile.Write(ref _bytesPerSecond, after);
                Serve();
            }
        }
    }

    /// <summary>Waits until bytes may pass and takes some.</summary>
    /// <param name="flow">Who shares with others; each flow belongs to one bucket.</param>
    /// <param name="most">The bytes there are; at least 1.</param>
    /// <returns>The bytes that may pass now: 1 to <paramref name="most"/>.</returns>
    public ValueTask<int> AcquireAsync(RateFlow flow, int most, CancellationToken cancellationToken) =>
        IsLimited ? AcquireLimitedAsync(flow, most, cancellationToken) : new ValueTask<int>(most);

    public void Dispose() => _timer.Dispose();

    private ValueTask<int> AcquireLimitedAsync(RateFlow flow, int most, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            Refill();
            var piece = PieceOf(most);
            var start = Math.Max(flow.VirtualFinish, _clock - DeficitOf(flow));
            var finish = start + piece;
            flow.VirtualFinish = finish;
            flow.LastArrival = _usedAt = _at;
            if (_bytesPerSecond == 0 || finish <= _clock || (_waiting.Count == 0 && _tokens >= 0))
            {
                _clock = Math.Max(_clock, finish);
                _tokens -= piece;
                return new ValueTask<int>(piece);
            }

            var waiter = new Waiter(most, cancellationToken);
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

    /// <summary>What a flow that took something just now may have had less than others without losing it.</summary>
    private double DeficitOf(RateFlow flow) =>
        IsLate(flow.LastArrival) ? 0 : Math.Min(LargestDeficit, 2 * PieceSeconds * _bytesPerSecond);

    private bool IsLate(long at) => _time.GetElapsedTime(at, _at).TotalSeconds > LateSeconds;

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
        while (_waiting.Count > 0 && (_bytesPerSecond == 0 || _tokens >= 0))
        {
            _waiting.TryDequeue(out var waiter, out var at);
            var piece = PieceOf(waiter!.Most);
            if (waiter.TryGo(piece))
            {
                _clock = Math.Max(_clock, at.Finish);
                _tokens -= piece;
            }
        }

        if (_waiting.Count > 0)
        {
            Arm();
        }
    }

    private void Arm()
    {
        var milliseconds = Math.Ceiling(Math.Max(0, -_tokens) / _bytesPerSecond * 1000);
        _timer.Change(TimeSpan.FromMilliseconds(Math.Max(1, milliseconds)), Timeout.InfiniteTimeSpan);
    }

    private void Refill()
    {
        var now = _time.GetTimestamp();
        var earned = _time.GetElapsedTime(_at, now).TotalSeconds * _bytesPerSecond;
        _at = now;
        var most = _bytesPerSecond * (_waiting.Count > 0 || !IsLate(_usedAt) ? LateSeconds : IdleSeconds);
        _tokens = Math.Max(_tokens, Math.Min(_tokens + earned, most));
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

/// <summary>One of those who share a bucket evenly.</summary>
public sealed class RateFlow
{
    /// <summary>When, in bytes of the bucket's own clock, what it took is paid for.</summary>
    internal double VirtualFinish { get; set; }

    /// <summary>When it last asked.</summary>
    internal long LastArrival { get; set; } = long.MinValue / 2;
}
