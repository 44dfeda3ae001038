using System.Diagnostics;

namespace FileTransfer.Postgres;

/// <summary>Commits what is going to be acknowledged, and judges whether it may be.</summary>
/// <remarks>
/// Where <c>synchronous_standby_names</c> is set, COMMIT returns when a standby has the change. A cancelled command, by its timeout or by a
/// token, ends that wait and not the commit: the row is visible, the driver returns as if all were well, and only a notice (01000) says that
/// no standby has it. So a commit counts as confirmed when it ended without that notice. While one is in doubt this asks again by itself,
/// until a standby has caught up.
/// </remarks>
public sealed partial class DurableCommits(NpgsqlDataSource pool, TimeProvider time, ILogger<DurableCommits> logger) : IDisposable
{
    private static readonly TimeSpan _askAgain = TimeSpan.FromSeconds(1);

    // Only a transaction that has written to the log waits for it; an empty message is the least it can write. Without a standby it does not.
    private const string BarrierSql = """
        SELECT CASE WHEN current_setting('synchronous_standby_names') <> '' THEN pg_logical_emit_message(true, 'filetransfer', '') END
        """;

    private readonly CancellationTokenSource _disposed = new();
    private DateTimeOffset? _inDoubtSince;
    private int _asking;

    /// <summary>Since when a commit is not confirmed by any standby; null while all are.</summary>
    public DateTimeOffset? InDoubtSince => Volatile.Read(ref _asking) == 1 ? _inDoubtSince : null;

    /// <summary>Commits, whatever becomes of the caller: a wait that is given up leaves a change in doubt.</summary>
    /// <exception cref="CommitUnconfirmedException">It is committed, and no standby has confirmed it.</exception>
    public async Task CommitAsync(NpgsqlTransaction transaction)
    {
        using var notices = new CommitNotices(transaction.Connection!);
        await transaction.CommitAsync(CancellationToken.None);
        if (notices.IsUnconfirmed)
        {
            Report();
            throw new CommitUnconfirmedException();
        }
    }

    /// <summary>Waits until a standby has everything that was committed before: for an answer that acknowledges what another request wrote.</summary>
    /// <exception cref="CommitUnconfirmedException">None has it in time.</exception>
    public async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        await using var connection = await pool.OpenConnectionAsync(cancellationToken);
        using var notices = new CommitNotices(connection);
        await using (var command = new NpgsqlCommand(BarrierSql, connection))
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        if (notices.IsUnconfirmed)
        {
            Report();
            throw new CommitUnconfirmedException();
        }
    }

    internal void Report()
    {
        if (Interlocked.Exchange(ref _asking, 1) == 0)
        {
            _inDoubtSince = time.GetUtcNow();
            Log.InDoubt(logger);
            _ = AskUntilConfirmedAsync();
        }
    }

    public void Dispose()
    {
        _disposed.Cancel();
        _disposed.Dispose();
    }

    private async Task AskUntilConfirmedAsync()
    {
        // It is nobody's request any more.
        Activity.Current = null;
        try
        {
            var stopped = _disposed.Token;
            while (true)
            {
                await Task.Delay(_askAgain, time, stopped);
                try
                {
                    await ConfirmAsync(stopped);
                    break;
                }
                catch (NpgsqlException)
                {
                    // Away, or no standby yet: health says which, and this asks again.
                }
            }

            Volatile.Write(ref _asking, 0);
            Log.Confirmed(logger);
        }
        catch (Exception e) when (_disposed.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException)
        {
            // The process ends.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            2030,
            LogLevel.Warning,
            "No synchronous standby confirmed a commit: uploads, registrations and removals get 503 until one has caught up. Bring the standby back, or remove it from synchronous_standby_names"
        )]
        public static partial void InDoubt(ILogger logger);

        [LoggerMessage(2031, LogLevel.Information, "The synchronous standby confirms commits again, or is no longer required to")]
        public static partial void Confirmed(ILogger logger);
    }
}
