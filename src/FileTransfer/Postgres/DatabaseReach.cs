namespace FileTransfer.Postgres;

public sealed record DatabaseOutage(DateTimeOffset Since, string Cause);

/// <summary>Whether the database is there for this node. One log line tells that it went, some more that it is still away, one that it is back.</summary>
/// <remarks>Reported by whoever keeps a session all the time. Requests and probes only read it: how often they come changes nothing in the log.</remarks>
public sealed partial class DatabaseReach(string server, TimeProvider time, ILogger logger)
{
    private static readonly Backoff _reminders = new(TimeSpan.FromMinutes(1), TimeSpan.FromHours(1));

    private readonly Lock _lock = new();
    private volatile DatabaseOutage? _outage;
    private long _lostAt;
    private long _remindedAt;
    private int _reminded;

    public string Server => server;

    public DatabaseOutage? Outage => _outage;

    /// <summary>What went wrong beneath the driver, which has a sentence of its own for every failure.</summary>
    public static string CauseOf(Exception fault) =>
        fault switch
        {
            PostgresException e => $"{e.MessageText} ({e.SqlState})",
            NpgsqlException or SocketException or IOException or TimeoutException => fault
                .GetBaseException()
                .Message.TrimEnd('.'),
            _ => fault.Message.TrimEnd('.'),
        };

    /// <summary>Connection failures, sessions that the server ended, shutdown, fail-over and exhaustion: states that pass by themselves.</summary>
    public static bool IsAway(Exception fault) =>
        fault switch
        {
            PostgresException e => e.SqlState.StartsWith("08", StringComparison.Ordinal)
                || e.SqlState
                    is PostgresErrorCodes.AdminShutdown
                        or PostgresErrorCodes.CrashShutdown
                        or PostgresErrorCodes.CannotConnectNow
                        or PostgresErrorCodes.TooManyConnections
                        or PostgresErrorCodes.ReadOnlySqlTransaction
                || HasEndedSession(e),
            NpgsqlException e => e.IsTransient
                || e.InnerException is IOException or SocketException or TimeoutException or AggregateException,
            SocketException => true,
            _ => false,
        };

    /// <summary>Also for this session's own timeouts (25P03, 25P04, 57P05), whatever the server calls them.</summary>
    private static bool HasEndedSession(PostgresException fault) => fault.InvariantSeverity is "FATAL" or "PANIC";

    /// <summary>The database, or the way to it, failed: who keeps something in step with it tries again.</summary>
    public static bool IsFailure(Exception fault) => fault is NpgsqlException or SocketException or TimeoutException;

    public void Lost(string cause)
    {
        lock (_lock)
        {
            if (_outage is null)
            {
                _outage = new DatabaseOutage(time.GetUtcNow(), cause);
                _lostAt = _remindedAt = time.GetTimestamp();
                _reminded = 0;
                Log.Lost(logger, server, cause);
                return;
            }

            _outage = _outage with { Cause = cause };
            if (time.GetElapsedTime(_remindedAt) >= _reminders.Bound(_reminded))
            {
                _remindedAt = time.GetTimestamp();
                _reminded++;
                var minutes = time.GetElapsedTime(_lostAt).TotalMinutes;
                Log.StillAway(logger, server, minutes, cause);
            }
        }
    }

    public void Regained()
    {
        lock (_lock)
        {
            if (_outage is not null)
            {
                _outage = null;
                var seconds = time.GetElapsedTime(_lostAt).TotalSeconds;
                Log.Back(logger, server, seconds);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            2010,
            LogLevel.Warning,
            "The database at {Server} is unreachable: {Cause}. Stored files are served, writes are refused; retrying"
        )]
        public static partial void Lost(ILogger logger, string server, string cause);

        [LoggerMessage(2011, LogLevel.Warning, "The database at {Server} has been away for {Minutes:0} min: {Cause}")]
        public static partial void StillAway(ILogger logger, string server, double minutes, string cause);

        [LoggerMessage(2012, LogLevel.Information, "The database at {Server} is back after {Seconds:0.0} s")]
        public static partial void Back(ILogger logger, string server, double seconds);
    }
}
