using FileTransfer.Catalog.Providers;

namespace FileTransfer.Catalog.Replicas;

/// <summary>What came of dropping stored contents.</summary>
/// <param name="Pruned">The files of replicas that leave this node, for it to be notified after the commit.</param>
/// <param name="Kept">Files that stay, for no other living node has them stored, or too few have.</param>
public sealed record PruneResult(IReadOnlyList<FileKey> Pruned, IReadOnlyList<FileKey> Kept);

/// <content>Ended: removed from the cluster, or not wanted at a node any more. Each runs in a transaction of its caller's.</content>
/// <remarks>
/// The rows of the files are locked, in the order of their keys, before anything is looked at: an intent, a registration, a Remove and
/// another node's pruning of the same file are either committed and seen, or wait and then see what was done here.
/// </remarks>
public sealed partial class ReplicaTransitions
{
    /// <summary>
    /// Ends every replica of the file, on all nodes of this database: from this commit on no download of the former Add can be published.
    /// </summary>
    /// <returns>Their nodes, to be notified (<see cref="ReplicaNotifications.Ended"/>) after the commit.</returns>
    public static async Task<IReadOnlyList<NodeId>> RemoveAsync(
        NpgsqlConnection connection,
        FileKey key,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            UPDATE filetransfer.replicas r SET {ReplicaSql.Ended}, pinned = false, reason = 'removed from the cluster'
            WHERE file_key = @key AND state = ANY(@from)
            RETURNING node_id
            """;
        return [.. await connection.QueryAsync<NodeId>(sql, new { key, from = Into(ReplicaState.Removing) }, cancellationToken)];
    }

    /// <summary>Has the kept contents of a removed file deleted at once, on all nodes of this database.</summary>
    /// <returns>As of <see cref="RemoveAsync"/>.</returns>
    public static async Task<IReadOnlyList<NodeId>> PurgeAsync(
        NpgsqlConnection connection,
        FileKey key,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            UPDATE filetransfer.replicas r SET waits_for = NULL, next_attempt_at = NULL, reason = 'removed from the cluster for good'
            WHERE file_key = @key AND {ReplicaSql.IsInTrash}
            RETURNING node_id
            """;
        return [.. await connection.QueryAsync<NodeId>(sql, new { key }, cancellationToken)];
    }

    /// <summary>Ends those of the replicas that are not stored, are not pinned, and that neither policy nor intent wants.</summary>
    /// <remarks>
    /// One that was never claimed has nothing on disk, and its row just goes. Every other one is <c>removing</c>; the lane that may download it is
    /// notified, and the removal lane deletes what is on disk.
    /// </remarks>
    /// <returns>The files of those that were ended, for their node to be notified after the commit.</returns>
    public static async Task<IReadOnlyList<FileKey>> WithdrawAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        string reason,
        CancellationToken cancellationToken
    )
    {
        const string hold = """
            SELECT count(*) FROM (
                SELECT 1 FROM filetransfer.files WHERE file_key = ANY(@keys) ORDER BY file_key FOR SHARE
            ) f;
            SELECT count(*) FROM (
                SELECT 1 FROM filetransfer.replicas WHERE node_id = @node AND file_key = ANY(@keys) ORDER BY file_key FOR UPDATE
            ) r
            """;
        const string withdraw = $"""
            WITH unwanted AS MATERIALIZED (
                SELECT r.file_key, r.state = 'wanted' AND r.epoch = 1 AS is_untouched
                FROM filetransfer.replicas r JOIN filetransfer.files f ON f.file_key = r.file_key
                WHERE r.node_id = @node AND r.file_key = ANY(@keys) AND {ReplicaSql.IsLacking} AND NOT r.pinned AND NOT {DesiredState.WantsByNowSql}
            ), forgotten AS (
                DELETE FROM filetransfer.replicas r USING unwanted u
                WHERE r.node_id = @node AND r.file_key = u.file_key AND u.is_untouched
                RETURNING r.file_key
            ), ended AS (
                UPDATE filetransfer.replicas r SET {ReplicaSql.Ended}, reason = @reason
                FROM unwanted u
                WHERE r.node_id = @node AND r.file_key = u.file_key AND NOT u.is_untouched
                RETURNING r.file_key
            )
            SELECT file_key FROM forgotten UNION ALL SELECT file_key FROM ended
            """;
        var parameters = new
        {
            node,
            keys = keys.ToParameter(),
            reason,
        };
        await DesiredState.HoldAsync(connection, node, cancellationToken);
        await connection.ExecuteAsync(hold, parameters, cancellationToken);
        return [.. await connection.QueryAsync<FileKey>(withdraw, parameters, cancellationToken)];
    }

    /// <summary>
    /// Ends those of the stored replicas that neither policy nor intent wants and that other living nodes have stored as well: one, or as many as the bucket is to keep.
    /// </summary>
    public static async Task<PruneResult> PruneAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        string reason,
        CancellationToken cancellationToken
    )
    {
        // Two nodes that prune one file exclude each other here, so each counts what the other has left.
        const string hold = """
            SELECT count(*) FROM (
                SELECT 1 FROM filetransfer.files WHERE file_key = ANY(@keys) ORDER BY file_key FOR NO KEY UPDATE
            ) f
            """;
        const string prune = $"""
            WITH unwanted AS MATERIALIZED (
                SELECT r.file_key, {BucketCopies.FloorSql} <= (
                    SELECT count(*) FROM filetransfer.replicas other JOIN filetransfer.nodes n ON n.node_id = other.node_id
                    WHERE other.file_key = r.file_key AND other.node_id <> @node AND other.state = 'stored'
                      AND {NodeLiveness.IsProvenAlive}
                ) AS is_elsewhere
                FROM filetransfer.replicas r JOIN filetransfer.files f ON f.file_key = r.file_key
                WHERE r.node_id = @node AND r.file_key = ANY(@keys) AND r.state = 'stored' AND NOT {DesiredState.WantsSql}
            ), ended AS (
                UPDATE filetransfer.replicas r SET {ReplicaSql.Ended}, pinned = false, reason = @reason
                FROM unwanted u
                WHERE r.node_id = @node AND r.file_key = u.file_key AND u.is_elsewhere
                RETURNING r.file_key
            )
            SELECT file_key, true FROM ended UNION ALL SELECT file_key, false FROM unwanted WHERE NOT is_elsewhere ORDER BY file_key
            """;
        var parameters = new
        {
            node,
            keys = keys.ToParameter(),
            reason,
        };
        await DesiredState.HoldAsync(connection, node, cancellationToken);
        await connection.ExecuteAsync(hold, parameters, cancellationToken);
        var files = (await connection.QueryAsync<(FileKey Key, bool IsPruned)>(prune, parameters, cancellationToken)).ToLookup(
            file => file.IsPruned,
            file => file.Key
        );
        return new PruneResult([.. files[true]], [.. files[false]]);
    }

    /// <summary>All replicas of a node that is taken out of the cluster.</summary>
    /// <returns>How many there were, and how many of them were the only stored one of their file.</returns>
    public static async Task<(long Replicas, long OnlyCopies)> ForgetNodeAsync(
        NpgsqlConnection connection,
        NodeId node,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT count(*) FROM filetransfer.replicas r
            WHERE r.node_id = @node AND r.state = 'stored' AND NOT EXISTS (
                SELECT FROM filetransfer.replicas o
                WHERE o.file_key = r.file_key AND o.node_id <> r.node_id AND o.state = 'stored'
            );
            WITH gone AS (DELETE FROM filetransfer.replicas WHERE node_id = @node RETURNING 1) SELECT count(*) FROM gone
            """;
        await ForgetPrioritiesAsync(connection, node, cancellationToken);
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, new { node }, commandTimeout: 600, cancellationToken: cancellationToken)
        );
        var onlyCopies = await answers.ReadSingleAsync<long>();
        return (await answers.ReadSingleAsync<long>(), onlyCopies);
    }
}
