namespace FileTransfer.Postgres;

/// <summary>The one database of this process: a pool for statements, and sessions for what must hold a lock.</summary>
/// <remarks>
/// <see cref="Pool"/> can be used at any time; before the database is there its commands fail as they do when it is away.
/// <see cref="DatabaseStartup"/> makes it ready.
/// </remarks>
public sealed class Database : IAsyncDisposable
{
    /// <summary>How long the server needs to notice that connections were closed.</summary>
    private static readonly TimeSpan _serverEndsBackends = TimeSpan.FromMilliseconds(200);

    private readonly NpgsqlMultiHostDataSource _sessions;
    private readonly TimeProvider _time;
    private readonly ILogger<LockConnection> _sessionLogger;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Database(DatabaseSource source, ILoggerFactory loggers, TimeProvider time)
    {
        Source = source;
        _time = time;
        _sessionLogger = loggers.CreateLogger<LockConnection>();
        Reach = new DatabaseReach(ServerOf(source), time, loggers.CreateLogger<DatabaseReach>());
        Pool = ConnectionSettings.Pool(source.ConnectionString, Joined, loggers);
        LockWaits = new LockWaits(Pool, time);
        FaultyRows = new FaultyRows(loggers.CreateLogger<FaultyRows>());
        Clock = new DatabaseClock(time, loggers.CreateLogger<DatabaseClock>());
        Notifications = new DatabaseNotifications(Pool, loggers.CreateLogger<DatabaseNotifications>());
        Commits = new DurableCommits(Pool, time, loggers.CreateLogger<DurableCommits>());
        _sessions = ConnectionSettings.Sessions(source.ConnectionString, Joined, loggers);
    }

    public DatabaseSource Source { get; }

    public JoinedServer Joined { get; } = new();

    public DatabaseClock Clock { get; }

    public LockWaits LockWaits { get; }

    public FaultyRows FaultyRows { get; }

    public NpgsqlDataSource Pool { get; }

    public DatabaseNotifications Notifications { get; }

    public DurableCommits Commits { get; }

    /// <summary>Whether the database has been reached, found fit and brought to this program's schema. Stays true when it goes away later.</summary>
    public bool IsReady => _ready.Task.IsCompletedSuccessfully;

    /// <summary>What the start is waiting for, in words; null once ready.</summary>
    public string? WaitingFor { get; internal set; } = "the database has not been tried yet";

    public DatabaseReach Reach { get; }

    /// <summary>Why the start was given up; null while it was not. The process is to end with <see cref="FatalStartException.ExitCode"/>.</summary>
    public FatalStartException? StartFault => _ready.Task.Exception?.InnerException as FatalStartException;

    /// <exception cref="FatalStartException">The database cannot be used until a person changes something.</exception>
    public Task WaitUntilReadyAsync(CancellationToken cancellationToken) => _ready.Task.WaitAsync(cancellationToken);

    /// <summary>Opens a session of its own for locks and notifications, shown in <c>pg_stat_activity</c> as <paramref name="applicationName"/>.</summary>
    public async Task<LockConnection> OpenSessionAsync(string applicationName, CancellationToken cancellationToken)
    {
        try
        {
            return await OpenAsync();
        }
        catch (NpgsqlException e) when (ConnectionShortage.ReasonOf(e) is not null)
        {
            // The pool keeps connections that nobody uses now, and without sessions nothing works at all.
            Pool.Clear();
            await Task.Delay(_serverEndsBackends, _time, cancellationToken);
            return await OpenAsync();
        }

        Task<LockConnection> OpenAsync() =>
            LockConnection.OpenAsync(_sessions, applicationName, Commits, _time, _sessionLogger, cancellationToken);
    }

    /// <summary>One round trip that shows whether the database answers, and what it does with what it commits; throws what Npgsql throws when it does not.</summary>
    public Task<ServerDurability> PingAsync(CancellationToken cancellationToken) =>
        ServerDurability.ReadAsync(Pool, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _ready.TrySetCanceled();
        Commits.Dispose();
        await Notifications.DisposeAsync();
        await _sessions.DisposeAsync();
        await Pool.DisposeAsync();
    }

    private static string ServerOf(DatabaseSource source)
    {
        var settings = new NpgsqlConnectionStringBuilder(source.ConnectionString);
        return settings.Host!.Contains(',', StringComparison.Ordinal) ? settings.Host : $"{settings.Host}:{settings.Port}";
    }

    internal void SetReady()
    {
        WaitingFor = null;
        _ready.TrySetResult();
    }

    internal void SetFault(FatalStartException fault)
    {
        WaitingFor = fault.Message;
        if (_ready.TrySetException(fault))
        {
            _ = _ready.Task.Exception; // Observed: nobody need be waiting.
        }
    }
}
