namespace FileTransfer.Postgres;

/// <param name="By">How far it jumped, ahead where positive.</param>
/// <param name="NoticedAt">By this machine's clock.</param>
public sealed record ClockJump(TimeSpan By, DateTimeOffset NoticedAt);

/// <summary>Whether the database's clock goes as time does: compared with a clock of this process that cannot be set.</summary>
/// <remarks>
/// All that the nodes of a cluster say about time, who was heard of when and what is tried again when, is told by this clock. It jumps when
/// somebody sets it, and when another server with another clock takes over.
/// </remarks>
public sealed partial class DatabaseClock(TimeProvider time, ILogger logger)
{
    /// <summary>A clock that is only corrected gains or loses less than this from one look to the next.</summary>
    private static readonly TimeSpan _tolerance = TimeSpan.FromSeconds(2);

    /// <summary>How long a jump is told of.</summary>
    private static readonly TimeSpan _told = TimeSpan.FromMinutes(10);

    private readonly long _began = time.GetTimestamp();
    private DateTime? _offset;
    private TimeSpan _took;
    private ClockJump? _jump;

    /// <summary>Raised when a jump is noticed, for whoever put down times before it.</summary>
    public event Action? Jumped;

    /// <summary>The last jump, for some minutes; null where there was none.</summary>
    public ClockJump? RecentJump =>
        _jump is { } jump && time.GetUtcNow() - jump.NoticedAt is var age && age < _told ? jump : null;

    /// <summary>What time it is at the database, from one who asks regularly.</summary>
    /// <param name="asked">A timestamp taken before it was asked.</param>
    public void Observe(DateTime there, long asked)
    {
        var (before, now) = (time.GetElapsedTime(_began, asked), time.GetElapsedTime(_began));

        // The answer is of some moment between the two.
        var offset = there - before;
        var took = now - before;
        if (_offset is { } former)
        {
            var by = offset - former;
            if (by > _tolerance + took || by < -_tolerance - _took)
            {
                _jump = new ClockJump(by, time.GetUtcNow());
                Log.Jumped(logger, by, by > TimeSpan.Zero ? "ahead" : "back");
                Jumped?.Invoke();
            }
        }

        (_offset, _took) = (offset, took);
    }

    private static partial class Log
    {
        [LoggerMessage(
            2000,
            LogLevel.Warning,
            "The database clock jumped {Direction} by {By}; times recorded earlier are corrected. Keep its server's clock in sync by NTP"
        )]
        public static partial void Jumped(ILogger logger, TimeSpan by, string direction);
    }
}
