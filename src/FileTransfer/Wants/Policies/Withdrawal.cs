using Dapper;
using FileTransfer.Catalog;
using FileTransfer.Catalog.Providers;
using FileTransfer.Identity;
using Npgsql;

namespace FileTransfer.Wants.Policies;

/// <summary>What came of dropping stored contents.</summary>
/// <param name="Pruned">The files of replicas that leave this node, for it to be notified after the commit.</param>
/// <param name="Kept">Files that stay, for no other living node has them stored.</param>
public sealed record PruneResult(IReadOnlyList<FileKey> Pruned, IReadOnlyList<FileKey> Kept);

/// <summary>Ends replicas that nobody wants at this node any more. Each method runs in a transaction of its caller's and looks again at what it is told.</summary>
/// <remarks>
/// The rows of the files are locked, in the order of their keys, before anything is looked at: an intent, a registration, a Remove and
/// another node's pruning of the same file are either committed and seen, or wait and then see what was done here.
/// </remarks>
public static class Withdrawal
{
    /// <summary>Ends those of the replicas that are not stored, were not asked for by name, and that neither policy nor intent wants.</summary>
    /// <remarks>
    /// One that was never claimed has nothing on disk, and its row just goes. Every other one is <c>removing</c> in a new epoch, which fences the
    /// download that may be under way; its lane is notified, and the removal lane deletes what is on disk.
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
        const string hold = $"""
            {DesiredState.HoldSql};
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
                WHERE r.node_id = @node AND r.file_key = ANY(@keys) AND r.state IN ('wanted', 'downloading', 'failed', 'paused')
                  AND NOT r.pinned AND NOT {DesiredState.WantsSql}
            ), forgotten AS (
                DELETE FROM filetransfer.replicas r USING unwanted u
                WHERE r.node_id = @node AND r.file_key = u.file_key AND u.is_untouched
                RETURNING r.file_key
            ), ended AS (
                UPDATE filetransfer.replicas r
                SET state = 'removing', epoch = r.epoch + 1, next_attempt_at = NULL, holder = NULL, holder_pid = NULL,
                    reason = @reason, changed_at = clock_timestamp()
                FROM unwanted u
                WHERE r.node_id = @node AND r.file_key = u.file_key AND NOT u.is_untouched
                RETURNING r.file_key
            )
            SELECT file_key FROM forgotten UNION ALL SELECT file_key FROM ended
            """;
        var parameters = ParametersOf(node, keys, reason);
        await connection.ExecuteAsync(new CommandDefinition(hold, parameters, cancellationToken: cancellationToken));
        var ended = await connection.QueryAsync<byte[]>(
            new CommandDefinition(withdraw, parameters, cancellationToken: cancellationToken)
        );
        return [.. ended.Select(key => new FileKey(key))];
    }

    /// <summary>Ends those of the stored replicas that neither policy nor intent wants and that another living node has stored as well.</summary>
    public static async Task<PruneResult> PruneAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        string reason,
        CancellationToken cancellationToken
    )
    {
        // Two nodes that prune one file exclude each other here, so each counts what the other has left.
        const string hold = $"""
            {DesiredState.HoldSql};
            SELECT count(*) FROM (
                SELECT 1 FROM filetransfer.files WHERE file_key = ANY(@keys) ORDER BY file_key FOR NO KEY UPDATE
            ) f
            """;
        const string prune = $"""
            WITH unwanted AS MATERIALIZED (
                SELECT r.file_key, EXISTS (
                    SELECT FROM filetransfer.replicas other JOIN filetransfer.nodes n ON n.node_id = other.node_id
                    WHERE other.file_key = r.file_key AND other.node_id <> @node AND other.state = 'stored'
                      AND {NodeLiveness.IsProvenAlive}
                ) AS is_elsewhere
                FROM filetransfer.replicas r JOIN filetransfer.files f ON f.file_key = r.file_key
                WHERE r.node_id = @node AND r.file_key = ANY(@keys) AND r.state = 'stored' AND NOT {DesiredState.WantsSql}
            ), ended AS (
                UPDATE filetransfer.replicas r
                SET state = 'removing', epoch = r.epoch + 1, pinned = false, reason = @reason, changed_at = clock_timestamp()
                FROM unwanted u
                WHERE r.node_id = @node AND r.file_key = u.file_key AND u.is_elsewhere
                RETURNING r.file_key
            )
            SELECT ARRAY(SELECT file_key FROM ended) AS pruned, ARRAY(
                SELECT file_key FROM unwanted WHERE NOT is_elsewhere ORDER BY file_key
            ) AS kept
            """;
        var parameters = ParametersOf(node, keys, reason);
        await connection.ExecuteAsync(new CommandDefinition(hold, parameters, cancellationToken: cancellationToken));
        var (pruned, kept) = await connection.QuerySingleAsync<(byte[][] Pruned, byte[][] Kept)>(
            new CommandDefinition(prune, parameters, cancellationToken: cancellationToken)
        );
        return new PruneResult([.. pruned.Select(key => new FileKey(key))], [.. kept.Select(key => new FileKey(key))]);
    }

    private static object ParametersOf(NodeId node, IReadOnlyCollection<FileKey> keys, string reason) =>
        new
        {
            node = node.Value,
            keys = keys.Select(key => key.ToArray()).ToArray(),
            reason,
        };
}
