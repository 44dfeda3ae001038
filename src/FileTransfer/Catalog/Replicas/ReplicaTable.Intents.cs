using Dapper;
using FileTransfer.Identity;
using Npgsql;

namespace FileTransfer.Catalog.Replicas;

/// <content>What intents do to the replica of a file whose row the caller has locked.</content>
public sealed partial class ReplicaTable
{
    /// <summary>Somebody waits for it: before what a policy wants.</summary>
    private const short IntentPriority = 1;

    /// <summary>
    /// Wants the file at <paramref name="node"/> before others: also one that is being given up, one that has failed and one that backs off,
    /// for somebody asks. A replica under way, stored, paused or waiting for its upload stays as it is.
    /// </summary>
    /// <returns>Whether it was not wanted before.</returns>
    internal static Task<bool> WantForIntentAsync(
        NpgsqlConnection connection,
        NodeId node,
        FileKey key,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            WITH before AS (
                SELECT state FROM filetransfer.replicas WHERE node_id = @node AND file_key = @key
            ), wanted AS (
                INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, priority) VALUES (@node, @key, 'wanted', @priority)
                ON CONFLICT (node_id, file_key) DO UPDATE
                    SET state = 'wanted', priority = EXCLUDED.priority, attempts = 0, next_attempt_at = NULL, reason = NULL,
                        epoch = r.epoch + CASE WHEN r.state = 'wanted' THEN 0 ELSE 1 END,
                        bytes_proven = CASE WHEN r.state = 'removing' THEN 0 ELSE r.bytes_proven END,
                        holder = NULL, holder_pid = NULL, changed_at = clock_timestamp(),
                        wanted_at = CASE WHEN r.state = 'wanted' THEN r.wanted_at ELSE clock_timestamp() END
                    WHERE r.state IN ('removing', 'failed')
                       OR (r.state = 'wanted' AND (r.next_attempt_at IS NULL OR r.waits_for IS DISTINCT FROM 'upload'))
                RETURNING 1
            )
            SELECT EXISTS (SELECT FROM wanted) AND NOT EXISTS (SELECT FROM before WHERE state = 'wanted')
            """;
        return connection.QuerySingleAsync<bool>(
            new CommandDefinition(
                sql,
                new
                {
                    node = node.Value,
                    key = key.ToArray(),
                    priority = IntentPriority,
                },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>No intent asks for the file any more: it comes after what others ask for.</summary>
    internal static Task ClearIntentPriorityAsync(
        NpgsqlConnection connection,
        NodeId node,
        FileKey key,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            UPDATE filetransfer.replicas SET priority = 0
            WHERE node_id = @node AND file_key = @key AND state IN ('wanted', 'downloading') AND priority = @priority
            """;
        return connection.ExecuteAsync(
            new CommandDefinition(
                sql,
                new
                {
                    node = node.Value,
                    key = key.ToArray(),
                    priority = IntentPriority,
                },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>Of those replicas that were ended at <paramref name="node"/> and have not come back: the size of the file, and why.</summary>
    public async Task<IReadOnlyList<(FileKey Key, long Size, string Reason)>> WhyEndedAsync(
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT f.file_key, f.size,
                   coalesce(r.reason, CASE WHEN f.state = 'removed' THEN 'removed from the cluster' ELSE 'not wanted here any more' END)
            FROM filetransfer.files f
            LEFT JOIN filetransfer.replicas r ON r.node_id = @node AND r.file_key = f.file_key
            WHERE f.file_key = ANY(@keys) AND (r.state IS NULL OR r.state = 'removing')
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(byte[] Key, long Size, string Reason)>(
            new CommandDefinition(
                sql,
                new { node = node.Value, keys = keys.Select(key => key.ToArray()).ToArray() },
                cancellationToken: cancellationToken
            )
        );
        return rows.Select(row => (new FileKey(row.Key), row.Size, row.Reason)).ToList();
    }
}
