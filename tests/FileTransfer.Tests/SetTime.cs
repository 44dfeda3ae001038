namespace FileTransfer.Tests;

/// <summary>A clock that moves when told to, with the timers of whoever asked it for some.</summary>
internal sealed class SetTime : TimeProvider
{
    private readonly List<SetTimer> _timers = [];
    private long _ticks;

    /// <summary>The local time when nothing has passed yet.</summary>
    public DateTime Start { get; init; } = new(2026, 3, 2, 12, 0, 0, DateTimeKind.Utc);

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public override DateTimeOffset GetUtcNow() => new(Start.AddTicks(_ticks));

    /// <summary>Fires every timer at its own moment.</summary>
    public void Advance(TimeSpan span)
    {
        var end = _ticks + span.Ticks;
        while (_timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due) is { } next)
        {
            _ticks = Math.Max(_ticks, next.Due);
            next.Fire();
        }

        _ticks = end;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SetTimer(this, callback, state);
        timer.Change(dueTime, period);
        _timers.Add(timer);
        return timer;
    }

    private sealed class SetTimer(SetTime time, TimerCallback callback, object? state) : ITimer
    {
        public long Due { get; private set; } = long.MaxValue;

        public void Fire()
        {
            Due = long.MaxValue;
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : time._ticks + dueTime.Ticks;
            return true;
        }

        public void Dispose() => time._timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
