namespace FileTransfer.Postgres;

/// <content>The advisory locks of the session. Session locks stack: a second lock needs a second unlock, so a second one is refused.</content>
public sealed partial class LockConnection
{
    private static readonly string TryLockSql =
        $"SELECT CASE WHEN {AdvisoryLockKey.HeldByThisSession("$1")} THEN NULL ELSE pg_try_advisory_lock($1) END";

    // CASE looks at one after the other.
    private const string AwaitLockSql = """
        SELECT CASE
            WHEN pg_try_advisory_lock($1) THEN true
            WHEN pg_sleep(0.3) IS NULL OR pg_try_advisory_lock($1) THEN true
            WHEN pg_sleep(0.3) IS NULL OR pg_try_advisory_lock($1) THEN true
            ELSE pg_sleep(0.3) IS NULL
        END
        """;

    private static readonly string ProveSql = $"SELECT {AdvisoryLockKey.HeldByThisSession("$1")}";

    /// <exception cref="InvalidOperationException">This session holds it already.</exception>
    public Task<bool> TryLockAsync(AdvisoryLockKey key, CancellationToken cancellationToken) =>
        UseAsync(
            async (connection, token) =>
                await ScalarAsync(connection, TryLockSql, key, token) as bool?
                ?? throw new InvalidOperationException(
                    $"Session {ApplicationName} holds the advisory lock {key} already; unlock it before locking again."
                ),
            cancellationToken
        );

    /// <summary>Takes a lock that this session does not hold, as soon as it is free, for nearly a second; one statement, however often it is looked.</summary>
    /// <remarks>
    /// The server looks, and does not wait in the lock's queue: who waits there shows as blocked, and gets the lock although its client stands
    /// still. In less than a second, for longer statements are often logged.
    /// </remarks>
    public Task<bool> AwaitLockAsync(AdvisoryLockKey key, CancellationToken cancellationToken) =>
        UseAsync(
            async (connection, token) => (bool)(await ScalarAsync(connection, AwaitLockSql, key, token))!,
            cancellationToken
        );

    /// <summary>Asks the server whether this session holds the lock. No answer within 3 s counts as no, and the session is given up.</summary>
    public async Task<bool> ProveAsync(AdvisoryLockKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await UseAsync(
                    async (connection, token) => (bool)(await ScalarAsync(connection, ProveSql, key, token))!,
                    cancellationToken
                )
                .WaitAsync(AnswerTimeout, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            Lose($"the lock {key} could not be proven within {AnswerTimeout.TotalSeconds:0} s");
            return false;
        }
        catch (LockConnectionLostException)
        {
            return false;
        }
    }

    /// <summary>Frees the lock and checks that it was held once and is held no more. If not, the session is given up.</summary>
    /// <exception cref="LockConnectionLostException">The session was lost, or what it holds is not what it should.</exception>
    public Task UnlockAsync(AdvisoryLockKey key, CancellationToken cancellationToken) =>
        UseAsync(
            async (connection, token) =>
            {
                await using var batch = new NpgsqlBatch(connection)
                {
                    BatchCommands =
                    {
                        new("SELECT pg_advisory_unlock($1)")
                        {
                            Parameters = { new NpgsqlParameter<long> { TypedValue = key.Value } },
                        },
                        new(ProveSql) { Parameters = { new NpgsqlParameter<long> { TypedValue = key.Value } } },
                    },
                };
                await using var reader = await batch.ExecuteReaderAsync(token);
                await reader.ReadAsync(token);
                var wasHeld = reader.GetBoolean(0);
                await reader.NextResultAsync(token);
                await reader.ReadAsync(token);
                var isHeld = reader.GetBoolean(0);
                if (wasHeld && !isHeld)
                {
                    return;
                }

                Lose($"the lock {key} {(wasHeld ? "was taken more than once" : "was not held when it was unlocked")}");
                throw LostException(null);
            },
            cancellationToken
        );

    /// <summary>Unlocks. However that ends, the lock is not held by this session afterwards: one that does not answer well is given up.</summary>
    internal async Task ReleaseAsync(AdvisoryLockKey key)
    {
        try
        {
            await UnlockAsync(key, CancellationToken.None).WaitAsync(AnswerTimeout, _time);
        }
        catch (LockConnectionLostException)
        {
            // The lock went with the session, which has said so itself.
        }
        catch (Exception e) when (DatabaseReach.IsFailure(e))
        {
            Lose($"the lock {key} could not be released: {e.Message}");
        }
    }

    internal Task UnlockAllAsync() =>
        UseAsync(
            (connection, token) => connection.ExecuteAsync("SELECT pg_advisory_unlock_all()", null, token),
            CancellationToken.None
        );

    private static async Task<object?> ScalarAsync(
        NpgsqlConnection connection,
        string sql,
        AdvisoryLockKey key,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new NpgsqlParameter<long> { TypedValue = key.Value } },
        };
        return await command.ExecuteScalarAsync(cancellationToken);
    }
}
