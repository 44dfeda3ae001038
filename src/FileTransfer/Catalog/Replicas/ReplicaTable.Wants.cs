using Dapper;
using FileTransfer.Identity;
using Npgsql;

namespace FileTransfer.Catalog.Replicas;

/// <content>Replicas that a node wants because of its policy, or because somebody named the file.</content>
public sealed partial class ReplicaTable
{
    /// <summary>
    /// Wants files at <paramref name="node"/>, those that are still added and that its policy, or an intent, wants. Their rows are held
    /// against removal until the transaction ends, so that a Remove sees every replica it has to end; and so are the node's policies.
    /// </summary>
    /// <returns>Those that are wanted now and were not.</returns>
    public static async Task<IReadOnlyList<ReplicaChange>> WantAddedAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            {DesiredState.HoldSql};
            WITH wanted AS (
                INSERT INTO filetransfer.replicas AS r (node_id, file_key, state)
                SELECT @node, f.file_key, 'wanted'
                FROM (
                    SELECT file_key, bucket, location FROM filetransfer.files
                    WHERE file_key = ANY(@keys) AND state = 'added'
                    ORDER BY file_key FOR SHARE
                ) f
                WHERE {DesiredState.WantsSql}
                ON CONFLICT (node_id, file_key) DO UPDATE
                    SET state = 'wanted', epoch = r.epoch + 1, attempts = 0, bytes_proven = 0, holder = NULL, holder_pid = NULL,
                        next_attempt_at = NULL, reason = NULL, wanted_at = clock_timestamp(), changed_at = clock_timestamp()
                    WHERE r.state = 'removing'
                RETURNING r.file_key
            )
            SELECT w.file_key, f.size FROM wanted w JOIN filetransfer.files f ON f.file_key = w.file_key
            """;
        var parameters = new { node = node.Value, keys = keys.Select(key => key.ToArray()).ToArray() };
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, parameters, cancellationToken: cancellationToken)
        );
        await answers.ReadAsync<object>();
        var wanted = await answers.ReadAsync<(byte[] Key, long Size)>();
        return [.. wanted.Select(file => new ReplicaChange(new FileKey(file.Key), file.Size))];
    }

    /// <summary>
    /// A replica whose content turned out to be absent is wanted again; one that neither a policy nor anybody wants at this node any more
    /// leaves it.
    /// </summary>
    /// <returns>Its new state; null when it was not stored.</returns>
    public async Task<ReplicaState?> MarkMissingAsync(
        NodeId node,
        FileKey key,
        string reason,
        CancellationToken cancellationToken
    )
    {
        const string hold = $"""
            {DesiredState.HoldSql};
            SELECT 1 FROM filetransfer.files WHERE file_key = @key FOR SHARE
            """;
        const string lose = $"""
            UPDATE filetransfer.replicas r
            SET state = CASE WHEN r.pinned OR {DesiredState.WantsSql} THEN 'wanted' ELSE 'removing' END,
                epoch = r.epoch + 1, bytes_proven = 0, attempts = 0, next_attempt_at = NULL, reason = @reason,
                wanted_at = clock_timestamp(), changed_at = clock_timestamp()
            FROM filetransfer.files f
            WHERE r.node_id = @node AND r.file_key = @key AND r.state = 'stored' AND f.file_key = r.file_key
            RETURNING r.state
            """;
        var parameters = new
        {
            node = node.Value,
            key = key.ToArray(),
            reason,
        };
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(hold, parameters, cancellationToken: cancellationToken));
        var state = await connection.QuerySingleOrDefaultAsync<string>(
            new CommandDefinition(lose, parameters, cancellationToken: cancellationToken)
        );
        await transaction.CommitAsync(cancellationToken);
        return state is null ? null : ReplicaTransitions.Parse(state);
    }
}
