namespace FileTransfer.Downloads;

/// <summary>Why fewer lanes run than are set, in words, and since when.</summary>
public sealed record LaneShortage(string Reason, DateTimeOffset Since, int Allowed, int Lanes);

/// <summary>How many lanes may run: as many as the database has connections for, and one at least.</summary>
/// <remarks>
/// Each lane holds a connection of its own. Where the server or the pool has none left, lanes that take what there is keep the statements of
/// the others waiting, and nobody gets anywhere. So each shortage halves the lanes, and the highest numbers let go of their connections;
/// after a time without one they come back, and later each time that was too soon.
/// </remarks>
public sealed partial class LaneAllowance(IOptions<DownloadOptions> options, TimeProvider time, ILogger<LaneAllowance> logger)
{
    private static readonly Backoff _backoff = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5));

    /// <summary>What follows within this time is the same shortage.</summary>
    private static readonly TimeSpan _same = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private readonly int _lanes = options.Value.Lanes;
    private int _relapses;
    private long _changedAt;
    private long _halvedAt;
    private volatile LaneShortage? _shortage;

    /// <summary>Null while all lanes may run.</summary>
    public LaneShortage? Shortage => _shortage;

    /// <summary>Whether the lane of this number, from 1, may run. Asked before each step.</summary>
    public bool Allows(int number)
    {
        if (_shortage is null)
        {
            return true;
        }

        lock (_gate)
        {
            Recover();
            return _shortage is not { } now || number <= now.Allowed;
        }
    }

    /// <summary>Takes note of what ended the work of a lane, or of a statement beside the lanes.</summary>
    /// <returns>Whether it was that no connection is to be had.</returns>
    public bool Report(Exception fault)
    {
        if (ConnectionShortage.ReasonOf(fault) is not { } reason)
        {
            return false;
        }

        lock (_gate)
        {
            var (allowed, since) = _shortage is { } before ? (before.Allowed, before.Since) : (_lanes, time.GetUtcNow());
            if (_shortage is null || time.GetElapsedTime(_halvedAt) > _same)
            {
                _halvedAt = time.GetTimestamp();
                _relapses += _shortage is null ? 0 : 1;
                allowed = Math.Max(1, allowed / 2);
                Log.Fewer(logger, allowed, _lanes, reason);
            }

            _changedAt = time.GetTimestamp();
            _shortage = new LaneShortage(reason, since, allowed, _lanes);
        }

        return true;
    }

    private void Recover()
    {
        if (_shortage is not { } now || time.GetElapsedTime(_changedAt) < _backoff.Bound(_relapses))
        {
            return;
        }

        _changedAt = time.GetTimestamp();
        if (now.Allowed < _lanes)
        {
            _shortage = now with { Allowed = Math.Min(_lanes, 2 * now.Allowed) };
            return;
        }

        _shortage = null;
        _relapses = 0;
        Log.All(logger, _lanes);
    }

    private static partial class Log
    {
        [LoggerMessage(
            1640,
            LogLevel.Warning,
            "Running only {Allowed} of {Lanes} lanes: {Reason}. Raise the server's max_connections, the CONNECTION LIMIT of the role or database, or Maximum Pool Size; or lower FileTransfer:Downloads:Lanes"
        )]
        public static partial void Fewer(ILogger logger, int allowed, int lanes, string reason);

        [LoggerMessage(1641, LogLevel.Information, "All {Lanes} lanes run again")]
        public static partial void All(ILogger logger, int lanes);
    }
}
