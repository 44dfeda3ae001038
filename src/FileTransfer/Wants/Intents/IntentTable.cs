using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Wants.Intents;

/// <summary>The wishes of callers that this node has a file: owner of <c>filetransfer.intents</c>.</summary>
/// <remarks>
/// Many intents, one download, which is the replica. Asking and withdrawing hold the row of the file until they commit, so the last
/// withdrawal and a new intent never pass each other: either the new one still finds the replica wanted, or it wants it again.
/// </remarks>
public sealed class IntentTable(Database database, IOptions<CallerLimits> limits, NodeId node)
{
    /// <summary>All intents of a node that is taken out of the cluster.</summary>
    public static Task ForgetNodeAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken) =>
        connection.ExecuteAsync("DELETE FROM filetransfer.intents WHERE node_id = @node", new { node }, cancellationToken);

    /// <summary>How long an intent that has ended can be asked about.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromDays(1);

    /// <summary>Why a replica is given up.</summary>
    public const string NobodyWantsIt = "its last intent was withdrawn and the policy of its bucket does not want it here";

    private const string Cancelled = "a person cancelled it here";

    private const string Columns = "i.intent_id AS id, i.file_key AS file, i.caller, i.asked_at, i.ended_at, i.outcome, i.reason";

    /// <summary>Ends the intents whose file is stored here, has failed or was removed.</summary>
    /// <summary>SQL: <see cref="MaintainAsync"/> finds something to look at.</summary>
    public static readonly string HasAnyToMaintain = $"""
        EXISTS (SELECT FROM filetransfer.intents WHERE node_id = @node AND ended_at IS NULL)
        OR EXISTS (
            SELECT FROM filetransfer.intents
            WHERE node_id = @node AND (ended_at > now() OR ended_at < now() - interval '{Remembered.TotalSeconds:0} s')
        )
        """;

    private const string SettleSql = """
        UPDATE filetransfer.intents i
        SET ended_at = clock_timestamp(),
            outcome = CASE WHEN f.state = 'removed' THEN 'removed' ELSE r.state END,
            reason = CASE WHEN f.state <> 'removed' THEN r.reason END
        FROM filetransfer.files f
        LEFT JOIN filetransfer.replicas r ON r.node_id = @node AND r.file_key = f.file_key
        WHERE i.node_id = @node AND i.ended_at IS NULL AND f.file_key = i.file_key
          AND (@key::bytea IS NULL OR i.file_key = @key)
          AND (f.state = 'removed' OR r.state IN ('stored', 'failed'))
        """;

    /// <summary>
    /// Records a caller's wish and wants the file here. A file that is stored here ends the intent at once. An intent that is there already
    /// is found again.
    /// </summary>
    public async Task<AskOutcome> AskAsync(FileKey key, Guid id, string? caller, CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var file = await database.LockWaits.WatchAsync(connection, FileCatalog.LockAsync(connection, key, cancellationToken));
        if (file is null or { State: FileState.Removed })
        {
            return new AskOutcome(file, null, WantsAnew: false);
        }

        const string insert = """
            INSERT INTO filetransfer.intents (intent_id, node_id, file_key, caller)
            SELECT @id, @node, @key, @caller WHERE (
                SELECT count(*) FROM (
                    SELECT FROM filetransfer.intents WHERE node_id = @node AND caller = @caller AND ended_at IS NULL LIMIT @most
                ) open
            ) < @most
            ON CONFLICT (intent_id) DO NOTHING
            """;
        var parameters = new
        {
            id,
            node,
            key,
            caller,
            most = limits.Value.Intents,
        };
        var isNew = await connection.ExecuteAsync(insert, parameters, cancellationToken) == 1;
        var wantsAnew = isNew && await WantAsync(connection, key, cancellationToken);
        await SettleAsync(connection, key, cancellationToken);
        var intent = await FindAsync(connection, key, id, cancellationToken);
        await database.Commits.CommitAsync(transaction);
        return new AskOutcome(
            file,
            intent,
            wantsAnew,
            IsTooMuch: intent is null && !await IsTakenAsync(connection, id, cancellationToken)
        );
    }

    private static Task<bool> IsTakenAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellationToken) =>
        connection.QuerySingleAsync<bool>(
            "SELECT EXISTS (SELECT FROM filetransfer.intents WHERE intent_id = @id)",
            new { id },
            cancellationToken
        );

    /// <summary>Ends an intent. The last one of a file gives its replica up, unless that is stored or the node's policy wants the file.</summary>
    public async Task<WithdrawOutcome> WithdrawAsync(FileKey key, Guid id, CancellationToken cancellationToken)
    {
        const string withdraw = """
            UPDATE filetransfer.intents SET ended_at = clock_timestamp(), outcome = 'withdrawn'
            WHERE intent_id = @id AND node_id = @node AND file_key = @key AND ended_at IS NULL
            """;
        const string others =
            "SELECT count(*) FROM filetransfer.intents WHERE node_id = @node AND file_key = @key AND ended_at IS NULL";
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Before the file's row, as everybody takes the two.
        await DesiredState.HoldAsync(connection, node, cancellationToken);
        await database.LockWaits.WatchAsync(connection, FileCatalog.LockAsync(connection, key, cancellationToken));
        await SettleAsync(connection, key, cancellationToken);
        var parameters = new
        {
            id,
            node,
            key,
        };
        var withdrawn = await connection.ExecuteAsync(withdraw, parameters, cancellationToken) == 1;
        var left = await connection.QuerySingleAsync<int>(others, parameters, cancellationToken);
        var givesUp = withdrawn && left == 0 && await GiveUpAsync(connection, key, cancellationToken);
        var intent = await FindAsync(connection, key, id, cancellationToken);
        try
        {
            await database.Commits.CommitAsync(transaction);
        }
        finally
        {
            if (givesUp)
            {
                database.Notifications.Send(ReplicaNotifications.Ended, new EndedReplica(node, key));
            }
        }

        return new WithdrawOutcome(intent, left, givesUp);
    }

    /// <summary>Ends every intent for the file and gives it up here, with what has come of it, also where it was registered here.</summary>
    /// <returns>False, and nothing is changed, where it is not lacking here, or the node's policy wants it.</returns>
    public async Task<bool> CancelAsync(FileKey key, CancellationToken cancellationToken)
    {
        const string withdraw = """
            UPDATE filetransfer.intents SET ended_at = clock_timestamp(), outcome = 'withdrawn'
            WHERE node_id = @node AND file_key = @key AND ended_at IS NULL
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await DesiredState.HoldAsync(connection, node, cancellationToken);
        await database.LockWaits.WatchAsync(connection, FileCatalog.LockAsync(connection, key, cancellationToken));
        await connection.ExecuteAsync(withdraw, new { node, key }, cancellationToken);
        await ReplicaTransitions.UnpinAsync(connection, node, key, cancellationToken);
        var ended = await ReplicaTransitions.WithdrawAsync(connection, node, [key], Cancelled, cancellationToken);
        if (ended.Count == 0)
        {
            return false;
        }

        try
        {
            await database.Commits.CommitAsync(transaction);
        }
        finally
        {
            database.Notifications.Send(ReplicaNotifications.Ended, new EndedReplica(node, key));
        }

        return true;
    }

    /// <summary>The intent, ended where its file is stored here, has failed or was removed; null where there is no such.</summary>
    public async Task<IntentRecord?> SettledAsync(FileKey key, Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await SettleAsync(connection, key, cancellationToken);
        return await FindAsync(connection, key, id, cancellationToken);
    }

    /// <summary>The intents for the file that stand, the oldest first.</summary>
    public Task<IReadOnlyList<IntentRecord>> StandingAsync(FileKey key, int atMost, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT {Columns} FROM filetransfer.intents i
            WHERE i.node_id = @node AND i.file_key = @key AND i.ended_at IS NULL
            ORDER BY i.asked_at LIMIT @atMost
            """;
        var parameters = new
        {
            node,
            key,
            atMost,
        };
        return database.QueryAsync<IntentRecord>(sql, parameters, cancellationToken);
    }

    /// <summary>
    /// Ends the intents whose file is stored here, has failed or was removed, wants again what an intent stands for and nothing brings,
    /// and forgets what ended long ago.
    /// </summary>
    /// <returns>How many replicas became wanted.</returns>
    public async Task<int> MaintainAsync(CancellationToken cancellationToken)
    {
        const string unserved = """
            SELECT DISTINCT i.file_key
            FROM filetransfer.intents i
            LEFT JOIN filetransfer.replicas r ON r.node_id = i.node_id AND r.file_key = i.file_key
            WHERE i.node_id = @node AND i.ended_at IS NULL AND (r.state IS NULL OR r.state = 'removing')
            ORDER BY i.file_key LIMIT 100
            """;
        // None has ended at a time that is yet to come, whatever the clock said then.
        const string forget = """
            UPDATE filetransfer.intents SET ended_at = now() WHERE node_id = @node AND ended_at > now();
            DELETE FROM filetransfer.intents WHERE node_id = @node AND ended_at < now() - @remembered
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await SettleAsync(connection, key: null, cancellationToken);
        await connection.ExecuteAsync(forget, new { node, remembered = Remembered }, cancellationToken);
        var wanted = 0;
        foreach (var key in await connection.QueryAsync<FileKey>(unserved, new { node }, cancellationToken))
        {
            wanted += await WantAgainAsync(connection, key, cancellationToken) ? 1 : 0;
        }

        return wanted;
    }

    private async Task<bool> GiveUpAsync(NpgsqlConnection connection, FileKey key, CancellationToken cancellationToken)
    {
        if (await ReplicaTransitions.WithdrawAsync(connection, node, [key], NobodyWantsIt, cancellationToken) is { Count: > 0 })
        {
            return true;
        }

        const short asked = ReplicaTransitions.IntentPriority;
        await ReplicaTransitions.ClearPriorityAsync(connection, node, [key], asked, cancellationToken);
        return false;
    }

    private async Task<bool> WantAsync(NpgsqlConnection connection, FileKey key, CancellationToken cancellationToken)
    {
        const short asked = ReplicaTransitions.IntentPriority;
        return (await ReplicaTransitions.WantAskedAsync(connection, node, [key], asked, cancellationToken)).Count > 0;
    }

    private async Task<bool> WantAgainAsync(NpgsqlConnection connection, FileKey key, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var file = await FileCatalog.LockAsync(connection, key, cancellationToken);
        var wants = file is { State: not FileState.Removed } && await WantAsync(connection, key, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return wants;
    }

    private Task<int> SettleAsync(NpgsqlConnection connection, FileKey? key, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(SettleSql, new { node, key }, cancellationToken);

    private Task<IntentRecord?> FindAsync(NpgsqlConnection connection, FileKey key, Guid id, CancellationToken cancellationToken)
    {
        const string sql =
            $"SELECT {Columns} FROM filetransfer.intents i WHERE i.intent_id = @id AND i.node_id = @node AND i.file_key = @key";
        var parameters = new
        {
            id,
            node,
            key,
        };
        return connection.QuerySingleOrDefaultAsync<IntentRecord>(sql, parameters, cancellationToken);
    }
}
