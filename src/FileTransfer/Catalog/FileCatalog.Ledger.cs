using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Catalog;

/// <content>What data folders remember of the catalog, and are compared with.</content>
public sealed partial class FileCatalog
{
    /// <summary>Those of the files that the catalog has heard of, removed ones too.</summary>
    public async Task<IReadOnlySet<FileKey>> KnownAsync(IReadOnlyCollection<FileKey> keys, CancellationToken cancellationToken)
    {
        const string sql = "SELECT file_key FROM filetransfer.files WHERE file_key = ANY(@keys)";
        return (await database.QueryAsync<FileKey>(sql, new { keys = keys.ToParameter() }, cancellationToken)).ToHashSet();
    }

    /// <summary>Which registrations of the files hold once they are registered, where they are not yet.</summary>
    public async Task<IReadOnlyDictionary<FileKey, int>> GenerationsAsync(
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT given.file_key, coalesce(f.generation + CASE f.state WHEN 'removed' THEN 1 ELSE 0 END, 1)
            FROM unnest(@keys::bytea[]) AS given (file_key) LEFT JOIN filetransfer.files f USING (file_key)
            """;
        var parameters = new { keys = keys.ToParameter() };
        var rows = await database.QueryAsync<(FileKey Key, int Generation)>(sql, parameters, cancellationToken);
        return rows.ToDictionary(row => row.Key, row => row.Generation);
    }

    /// <summary>What a folder remembers of files of <paramref name="node"/>, whatever the state of their replicas.</summary>
    /// <remarks>OFFSET 0 has the replicas looked up one by one: a node that has just filled up looks to the server as if it had none.</remarks>
    public Task<IReadOnlyList<LedgerFile>> ForLedgerAsync(
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            SELECT {LedgerRow.LedgerColumns} FROM filetransfer.files f JOIN LATERAL (
                SELECT pinned FROM filetransfer.replicas WHERE node_id = @node AND file_key = f.file_key OFFSET 0
            ) r ON true
            WHERE f.file_key = ANY(@keys)
            """;
        return LedgerFilesAsync(sql, new { node, keys = keys.ToParameter() }, cancellationToken);
    }

    /// <summary>The same of a page of the files that <paramref name="node"/> has stored, in the order of their keys.</summary>
    public Task<IReadOnlyList<LedgerFile>> StoredForLedgerAsync(
        NodeId node,
        FileKey? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            SELECT {LedgerRow.LedgerColumns}
            FROM (
                SELECT file_key, pinned FROM filetransfer.replicas
                WHERE node_id = @node AND state = 'stored' AND file_key > @after
                ORDER BY file_key LIMIT @limit
            ) r
            JOIN LATERAL (SELECT * FROM filetransfer.files WHERE file_key = r.file_key OFFSET 0) f ON true
            ORDER BY r.file_key
            """;
        var parameters = new
        {
            node,
            after = after?.ToArray() ?? [],
            limit,
        };
        return LedgerFilesAsync(sql, parameters, cancellationToken);
    }

    private async Task<IReadOnlyList<LedgerFile>> LedgerFilesAsync(
        string sql,
        object parameters,
        CancellationToken cancellationToken
    )
    {
        var rows = await database.QueryAsync<LedgerRow>(sql, parameters, cancellationToken);
        return [.. rows.Select(ForLedger)];
    }

    /// <summary>What a folder remembers of a file that was claimed with its Add.</summary>
    internal LedgerFile ForLedger(LedgerRow row) => row.ToLedger(history, time.GetUtcNow());

    /// <summary>A page of all files, removed ones too, in the order of their keys: their state, and their newest mutation's sequence.</summary>
    public Task<IReadOnlyList<(FileKey Key, FileState State, int Generation, long? Sequence)>> StatesAsync(
        FileKey? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT file_key, state, generation, sequence FROM filetransfer.files
            WHERE file_key > @after ORDER BY file_key LIMIT @limit
            """;
        return database.QueryAsync<(FileKey, FileState, int, long?)>(
            sql,
            new { after = after?.ToArray() ?? [], limit },
            cancellationToken
        );
    }
}
