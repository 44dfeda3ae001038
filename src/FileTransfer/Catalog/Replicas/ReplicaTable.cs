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

    /// <summary>The state of each of <paramref name="keys"/> at <paramref name="node"/>; null where it has no replica.</summary>
    public Task<IReadOnlyList<(FileKey Key, ReplicaState? State)>> StatesAsync(
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT k.file_key, r.state FROM unnest(@keys) AS k(file_key)
            LEFT JOIN filetransfer.replicas r ON r.node_id = @node AND r.file_key = k.file_key
            """;
        return database.QueryAsync<(FileKey, ReplicaState?)>(sql, new { node, keys = keys.ToParameter() }, cancellationToken);
    }

    /// <summary>A page of this node's stored files in the order of their keys, with their contents, for the repair at start.</summary>
    /// <remarks>
    /// The page first, then its files one by one (OFFSET 0): joined as a whole, the files before the page would be read for every page.
    /// </remarks>
    public Task<IReadOnlyList<StoredReplica>> StoredAsync(
        NodeId node,
        FileKey? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT p.file_key AS key, f.fingerprint, f.size
            FROM (
                SELECT file_key FROM filetransfer.replicas
                WHERE node_id = @node AND state = 'stored' AND file_key > @after
                ORDER BY file_key LIMIT @limit
            ) p
            JOIN LATERAL (SELECT fingerprint, size FROM filetransfer.files WHERE file_key = p.file_key OFFSET 0) f ON true
            ORDER BY p.file_key
            """;
        var parameters = new
        {
            node,
            after = after?.ToArray() ?? [],
            limit,
        };
        return database.QueryAsync<StoredReplica>(sql, parameters, cancellationToken);
    }

    /// <summary>How many files behind <paramref name="after"/> this node has stored.</summary>
    public Task<long> CountStoredAsync(NodeId node, FileKey? after, CancellationToken cancellationToken)
    {
        const string sql =
            "SELECT count(*) FROM filetransfer.replicas WHERE node_id = @node AND state = 'stored' AND file_key > @after";
        return database.QuerySingleAsync<long>(sql, new { node, after = after?.ToArray() ?? [] }, cancellationToken);
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
