using System.Data;

namespace FileTransfer.Postgres;

/// <summary>One physical connection of its own, on which session-level advisory locks are held and notifications are heard.</summary>
/// <remarks>
/// Commands run one at a time through <see cref="UseAsync{T}"/>. Once the session has been idle for a moment it listens to its socket, so
/// that a terminated backend is noticed though nobody asks: Npgsql's own state stays <c>Open</c> until the next command. A burst of short
/// commands pays nothing for it, unless somebody waits for notifications. Dispose a session that is lost and open a new one; it does not heal.
/// </remarks>
public sealed partial class LockConnection : IAsyncDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(3);

    private readonly NpgsqlConnection _connection;
    private readonly DurableCommits _commits;
    private readonly CommitNotices _notices;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly CancellationTokenSource _lost = new();
    private readonly ITimer _idle;
    private string? _lostBecause;
    private int _disposed;

    private LockConnection(
        NpgsqlConnection connection,
        string applicationName,
        int backendPid,
        string confirmedCommit,
        DurableCommits commits,
        TimeProvider time,
        ILogger logger
    )
    {
        _connection = connection;
        _commits = commits;
        _notices = new CommitNotices(connection);
        ConfirmedCommit = confirmedCommit;
        _time = time;
        _logger = logger;
        ApplicationName = applicationName;
        BackendPid = backendPid;
        _connection.Notification += (_, notification) => Raise(notification);
        _idle = time.CreateTimer(
            static session => ((LockConnection)session!).StartListening(),
            this,
            IdleBeforeListening,
            Timeout.InfiniteTimeSpan
        );
    }

    public string ApplicationName { get; }

    public int BackendPid { get; }

    /// <summary>
    /// The value of <c>synchronous_commit</c> for a transaction that others rely on: it waits for a standby where there is one. Set it for
    /// that transaction alone; any other of this session is as durable as the server itself.
    /// </summary>
    public string ConfirmedCommit { get; }

    /// <summary>Cancelled when the session and its locks are gone, within about a second of its backend's end; also by disposing.</summary>
    public CancellationToken Lost => _lost.Token;

    public string? LostBecause => _lostBecause;

    /// <summary>Runs commands on the session, alone. Waits for its turn.</summary>
    /// <exception cref="LockConnectionLostException">The session was lost before or while the work ran.</exception>
    public Task<T> UseAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(work, static result => result, cancellationToken);

    /// <summary>As <see cref="UseAsync{T}"/>, for what must not be acted upon unless a standby has it.</summary>
    /// <exception cref="CommitUnconfirmedException">It is committed, and no standby has confirmed it.</exception>
    public Task<T> UseConfirmedAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> work,
        CancellationToken cancellationToken
    ) => RunAsync(work, static _ => throw new CommitUnconfirmedException(), cancellationToken);

    private async Task<T> RunAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> work,
        Func<T, T> whenUnconfirmed,
        CancellationToken cancellationToken
    )
    {
        ThrowIfLost();
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await StopListeningAsync();
            ThrowIfLost();
            var result = await work(_connection, cancellationToken);
            if (_notices.IsUnconfirmed)
            {
                _notices.Reset();
                _commits.Report();
                return whenUnconfirmed(result);
            }

            return result;
        }
        catch (Exception e) when (e is not LockConnectionLostException && IsBroken(e))
        {
            Lose(e.Message);
            if (e is OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                throw;
            }

            throw LostException(e);
        }
        finally
        {
            if (_connection.State != ConnectionState.Open)
            {
                Lose("the connection was closed");
            }

            _idle.Change(Notified is null ? IdleBeforeListening : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            _gate.Release();
        }
    }

    /// <inheritdoc cref="UseAsync{T}"/>
    public Task UseAsync(Func<NpgsqlConnection, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        UseAsync(
            async (connection, token) =>
            {
                await work(connection, token);
                return true;
            },
            cancellationToken
        );

    /// <summary>Frees all locks, closes the connection and cancels <see cref="Lost"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        // A closed connection frees its locks only when the server gets to it; an unlock that was answered has freed them now.
        if (_lostBecause is null)
        {
            try
            {
                await UnlockAllAsync().WaitAsync(AnswerTimeout, _time);
            }
            catch (Exception e) when (e is LockConnectionLostException || DatabaseReach.IsFailure(e))
            {
                Log.NotUnlocked(_logger, ApplicationName, BackendPid, e.Message);
            }
        }

        Interlocked.CompareExchange(ref _lostBecause, "it was closed", null);
        await _lost.CancelAsync();
        await _idle.DisposeAsync();

        // A command that waits on a dead network holds the connection; the closing goes on behind.
        await CloseAsync().WaitAsync(AnswerTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private bool IsBroken(Exception e) =>
        _connection.FullState.HasFlag(ConnectionState.Broken)
        || _connection.State != ConnectionState.Open
        || e is PostgresException { SqlState: var state }
            && (state.StartsWith("57P", StringComparison.Ordinal) || state.StartsWith("08", StringComparison.Ordinal))
        || e is NpgsqlException { InnerException: IOException };

    private void Lose(string reason)
    {
        if (Interlocked.CompareExchange(ref _lostBecause, reason, null) is not null)
        {
            return;
        }

        Log.Lost(_logger, ApplicationName, BackendPid, reason);
        DatabaseMetrics.SessionLost();
        _ = _lost.CancelAsync();
        _ = CloseAsync();
    }

    /// <summary>Closes when the last command has let go: nothing may still run under locks that are called lost.</summary>
    private async Task CloseAsync()
    {
        await _gate.WaitAsync();
        try
        {
            await StopListeningAsync();
            await _connection.DisposeAsync();
        }
        catch (Exception e)
        {
            Log.NotClosed(_logger, ApplicationName, BackendPid, e.Message);
        }
        finally
        {
            _gate.Release();
        }
    }

    private void ThrowIfLost()
    {
        if (_lostBecause is not null)
        {
            throw LostException(null);
        }
    }

    private LockConnectionLostException LostException(Exception? cause) =>
        new($"Session {ApplicationName} (backend {BackendPid}) is lost: {_lostBecause}.", cause);

    private static partial class Log
    {
        [LoggerMessage(2050, LogLevel.Information, "Session {Session} (backend {BackendPid}) was lost: {Reason}")]
        public static partial void Lost(ILogger logger, string session, int backendPid, string reason);

        [LoggerMessage(
            2051,
            LogLevel.Debug,
            "Session {Session} (backend {BackendPid}) did not answer its final unlock: {Reason}"
        )]
        public static partial void NotUnlocked(ILogger logger, string session, int backendPid, string reason);

        [LoggerMessage(2052, LogLevel.Debug, "Session {Session} (backend {BackendPid}) did not close cleanly: {Reason}")]
        public static partial void NotClosed(ILogger logger, string session, int backendPid, string reason);

        [LoggerMessage(2053, LogLevel.Error, "A handler of notifications on {Channel} failed")]
        public static partial void HandlerFailed(ILogger logger, Exception exception, string channel);
    }
}
