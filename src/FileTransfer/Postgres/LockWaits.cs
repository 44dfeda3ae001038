using System.Data;

namespace FileTransfer.Postgres;

/// <param name="ApplicationName">What it calls itself; null where this service's role may not see it.</param>
/// <param name="State">What it does: <c>active</c>, <c>idle in transaction</c>.</param>
public sealed record LockHolder(
    int Pid,
    string? ApplicationName,
    DateTimeOffset? Since,
    DateTimeOffset? QueryStart,
    string? State
);

/// <summary>A lock that another session holds was not had in time; nothing was done.</summary>
/// <param name="holder">Who has it; null when that could not be found out.</param>
public sealed class DatabaseLockedException(LockHolder? holder, Exception cause)
    : Exception("A lock in the database is held by another session.", cause)
{
    public LockHolder? Holder => holder;
}

/// <summary>Finds out who holds the lock that a transaction of a request waits for, while it waits: afterwards nobody can tell.</summary>
/// <remarks>A wait ends after <see cref="Timeout"/>, which every session sets for itself; what did not wait pays nothing for this.</remarks>
public sealed class LockWaits(NpgsqlDataSource pool, TimeProvider time)
{
    /// <summary>How long a statement waits for one lock. Long beside any transaction of this service, short beside a client's patience.</summary>
    public const string Timeout = "5s";

    private static readonly TimeSpan _look = TimeSpan.FromSeconds(2);

    /// <remarks>Who blocks may itself wait in the same queue: named is the session at its head.</remarks>
    private const string Sql = """
        WITH RECURSIVE blocking (pid) AS (
            SELECT unnest(pg_catalog.pg_blocking_pids(@pid))
            UNION
            SELECT unnest(pg_catalog.pg_blocking_pids(blocking.pid)) FROM blocking
        )
        SELECT a.pid, a.application_name, a.xact_start, a.query_start, a.state
        FROM blocking JOIN pg_catalog.pg_stat_activity a ON a.pid = blocking.pid
        ORDER BY cardinality(pg_catalog.pg_blocking_pids(a.pid)) > 0, a.xact_start NULLS LAST LIMIT 1
        """;

    /// <exception cref="DatabaseLockedException">It waited for a lock in vain.</exception>
    /// <exception cref="NpgsqlException">The connection is lost.</exception>
    public async Task<T> WatchAsync<T>(NpgsqlConnection connection, Task<T> work)
    {
        LockHolder? holder = null;
        try
        {
            var pid = connection.ProcessID;
            while (true)
            {
                await ((Task)work).WaitAsync(_look, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (work.IsCompleted)
                {
                    return await work;
                }

                holder = await HolderAsync(pid) ?? holder;
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new DatabaseLockedException(holder, e);
        }
        catch (InvalidOperationException e) when (connection.State != ConnectionState.Open)
        {
            // What the driver says of a connection that the server has ended is no word about the database.
            throw new NpgsqlException("The connection was lost before its statement was sent.", new IOException(e.Message, e));
        }
    }

    private async Task<LockHolder?> HolderAsync(int pid)
    {
        try
        {
            await using var connection = await pool.OpenConnectionAsync();
            var holder = await connection.QuerySingleOrDefaultAsync<(int, string?, DateTime?, DateTime?, string?)?>(
                Sql,
                new { pid }
            );
            return holder is var (blocking, name, since, queryStart, state)
                ? new LockHolder(blocking, name, since, queryStart, state)
                : null;
        }
        catch (NpgsqlException)
        {
            // The answer to the request says that something holds the lock, if not what.
            return null;
        }
    }
}
