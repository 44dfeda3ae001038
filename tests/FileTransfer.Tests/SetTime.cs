namespace FileTransfer.Tests;

/// <summary>A clock that moves when told to, with the timers of whoever asked it for some.</summary>
internal sealed class SetTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<SetTimer> _timers = [];
    private long _ticks;

    /// <summary>The local time when nothing has passed yet.</summary>
    public DateTime Start { get; init; } = new(2026, 3, 2, 12, 0, 0, DateTimeKind.Utc);

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => new(Start.AddTicks(GetTimestamp()));

    /// <summary>Fires every timer at its own moment.</summary>
    public void Advance(TimeSpan span)
    {
        var end = GetTimestamp() + span.Ticks;
        while (TakeDue(end) is { } next)
        {
            next.Fire();
        }

        Interlocked.Exchange(ref _ticks, end);
    }

    private SetTimer? TakeDue(long end)
    {
        lock (_gate)
        {
            var next = _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
            if (next is not null)
            {
                Interlocked.Exchange(ref _ticks, Math.Max(_ticks, next.Due));
                next.Due = long.MaxValue;
            }

            return next;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SetTimer(this, callback, state);
        timer.Change(dueTime, period);
        lock (_gate)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    private sealed class SetTimer(SetTime time, TimerCallback callback, object? state) : ITimer
    {
        public long Due { get; set; } = long.MaxValue;

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : time.GetTimestamp() + dueTime.Ticks;
            }

            return true;
        }

        public void Dispose()
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
