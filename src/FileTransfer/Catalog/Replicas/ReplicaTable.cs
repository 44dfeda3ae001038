using FileTransfer.Postgres;

namespace FileTransfer.Catalog.Replicas;

/// <summary>Every node's copy of every file: what there is to read in <c>filetransfer.replicas</c>.</summary>
public sealed partial class ReplicaTable(Database database)
{
    /// <summary>All nodes' replicas of the file.</summary>
    public Task<IReadOnlyList<ReplicaRecord>> OfAsync(FileKey key, CancellationToken cancellationToken)
    {
        const string sql =
            $"SELECT {ReplicaRecord.Columns} FROM filetransfer.replicas r WHERE r.file_key = @key ORDER BY r.node_id";
        return database.QueryAsync<ReplicaRecord>(sql, new { key }, cancellationToken);
    }

    /// <summary>The file's replica at <paramref name="node"/>; null when it has none.</summary>
    public Task<ReplicaRecord?> FindAsync(NodeId node, FileKey key, CancellationToken cancellationToken)
    {
        const string sql =
            $"SELECT {ReplicaRecord.Columns} FROM filetransfer.replicas r WHERE r.node_id = @node AND r.file_key = @key";
        return database.QuerySingleOrDefaultAsync<ReplicaRecord>(sql, new { node, key }, cancellationToken);
    }

    /// <summary>The state of the file's replica at <paramref name="node"/>; null when it has none.</summary>
    public async Task<ReplicaState?> StateOfAsync(NodeId node, FileKey key, CancellationToken cancellationToken) =>
        (await FindAsync(node, key, cancellationToken))?.State;

    /// <summary>A page of this node's stored files in the order of their keys, with their contents, for the repair at start.</summary>
    public Task<IReadOnlyList<(FileKey Key, Fingerprint Fingerprint, long Size)>> StoredAsync(
        NodeId node,
        FileKey? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT f.file_key, f.fingerprint, f.size
            FROM filetransfer.replicas r JOIN filetransfer.files f ON f.file_key = r.file_key
            WHERE r.node_id = @node AND r.state = 'stored' AND (@after::bytea IS NULL OR r.file_key > @after)
            ORDER BY r.file_key LIMIT @limit
            """;
        var parameters = new
        {
            node,
            after,
            limit,
        };
        return database.QueryAsync<(FileKey, Fingerprint, long)>(sql, parameters, cancellationToken);
    }

    /// <summary>Those of <paramref name="keys"/> whose replica at <paramref name="node"/> is in none of the states, or absent.</summary>
    public Task<IReadOnlyList<FileKey>> NotInStateAsync(
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        ReplicaState[] states,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT k.file_key FROM unnest(@keys) AS k(file_key)
            WHERE NOT EXISTS (
                SELECT FROM filetransfer.replicas r
                WHERE r.node_id = @node AND r.file_key = k.file_key AND r.state = ANY(@states)
            )
            """;
        var parameters = new
        {
            node,
            keys = keys.ToParameter(),
            states = states.Select(ReplicaTransitions.NameOf).ToArray(),
        };
        return database.QueryAsync<FileKey>(sql, parameters, cancellationToken);
    }

    /// <summary>Of those replicas that were ended at <paramref name="node"/> and have not come back: the size of the file, and why.</summary>
    public Task<IReadOnlyList<(FileKey Key, long Size, string Reason)>> WhyEndedAsync(
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
        return database.QueryAsync<(FileKey, long, string)>(sql, new { node, keys = keys.ToParameter() }, cancellationToken);
    }
}
