using Dapper;
using FileTransfer.Identity;

namespace FileTransfer.Catalog.Replicas;

/// <content>What a lost or damaged content means for all files of a node that share it.</content>
public sealed partial class ReplicaTable
{
    /// <summary>
    /// As <see cref="MarkMissingAsync"/>, for every file of the node that has this content stored: those that the node still wants are wanted again.
    /// </summary>
    /// <returns>The files, their sizes, and the new states of their replicas.</returns>
    public async Task<IReadOnlyList<(FileKey Key, long Size, ReplicaState State)>> MarkContentMissingAsync(
        NodeId node,
        Fingerprint fingerprint,
        string reason,
        CancellationToken cancellationToken
    )
    {
        const string hold = $"""
            {DesiredState.HoldSql};
            SELECT 1 FROM filetransfer.files WHERE fingerprint = @fingerprint ORDER BY file_key FOR SHARE
            """;
        const string lose = $"""
            UPDATE filetransfer.replicas r
            SET state = CASE WHEN r.pinned OR {DesiredState.WantsSql} THEN 'wanted' ELSE 'removing' END,
                epoch = r.epoch + 1, bytes_proven = 0, attempts = 0, next_attempt_at = NULL, waits_for = NULL, reason = @reason,
                wanted_at = clock_timestamp(), changed_at = clock_timestamp()
            FROM filetransfer.files f
            WHERE f.fingerprint = @fingerprint AND r.node_id = @node AND r.file_key = f.file_key AND r.state = 'stored'
            RETURNING r.file_key, f.size, r.state
            """;
        var parameters = new
        {
            node = node.Value,
            fingerprint = fingerprint.ToArray(),
            reason,
        };
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(hold, parameters, cancellationToken: cancellationToken));
        var rows = await connection.QueryAsync<(byte[] Key, long Size, string State)>(
            new CommandDefinition(lose, parameters, cancellationToken: cancellationToken)
        );
        await transaction.CommitAsync(cancellationToken);
        return [.. rows.Select(row => (new FileKey(row.Key), row.Size, ReplicaTransitions.Parse(row.State)))];
    }

    /// <summary>Whether a file of this content is to be here and is not.</summary>
    public async Task<bool> WantsContentAsync(NodeId node, Fingerprint fingerprint, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT EXISTS (
                SELECT FROM filetransfer.files f JOIN filetransfer.replicas r ON r.file_key = f.file_key
                WHERE f.fingerprint = @fingerprint AND r.node_id = @node AND r.state <> 'removing'
            )
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<bool>(
            new CommandDefinition(
                sql,
                new { node = node.Value, fingerprint = fingerprint.ToArray() },
                cancellationToken: cancellationToken
            )
        );
    }
}
