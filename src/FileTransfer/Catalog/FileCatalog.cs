using Dapper;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Identity;
using FileTransfer.Postgres;
using Npgsql;

namespace FileTransfer.Catalog;

/// <summary>Which files a listing asks for.</summary>
/// <param name="State">The state of this node's replica.</param>
/// <param name="LocationPrefix">Bytes that the location begins with.</param>
/// <param name="After">The key of the last file of the page before.</param>
public sealed record FileFilter(
    ByteString? Bucket,
    ByteString? Owner,
    ReplicaState? State,
    ByteString? LocationPrefix,
    FileKey? After,
    int Limit
);

/// <summary>A file with the state of this node's replica; null when this node has none.</summary>
public sealed record ListedFile(FileRecord File, ReplicaState? StateHere);

/// <summary>What became of a registration.</summary>
public enum RegisterOutcome
{
    New,
    NewAfterRemoval,
    Known,
}

/// <summary>The files of the cluster: owner of <c>filetransfer.files</c>.</summary>
public sealed class FileCatalog(Database database, FeedHistory history, TimeProvider time)
{
    private const string LockSql = $"SELECT {FileRow.Columns} FROM filetransfer.files f WHERE f.file_key = @key FOR UPDATE";

    public async Task<FileRecord?> FindAsync(FileKey key, CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        return await FindAsync(connection, key, cancellationToken);
    }

    public static async Task<FileRecord?> FindAsync(NpgsqlConnection connection, FileKey key, CancellationToken cancellationToken)
    {
        var row = await connection.QuerySingleOrDefaultAsync<FileRow>(
            new CommandDefinition(
                $"SELECT {FileRow.Columns} FROM filetransfer.files f WHERE f.file_key = @key",
                new { key = key.ToArray() },
                cancellationToken: cancellationToken
            )
        );
        return row?.ToRecord();
    }

    /// <summary>The file, and the state of its replica at <paramref name="here"/>.</summary>
    public async Task<ListedFile?> FindAsync(FileKey key, NodeId here, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT {FileRow.Columns}, r.state AS replica_state
            FROM filetransfer.files f
            LEFT JOIN filetransfer.replicas r ON r.node_id = @here AND r.file_key = f.file_key
            WHERE f.file_key = @key
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<FileRow>(
            new CommandDefinition(sql, new { here = here.Value, key = key.ToArray() }, cancellationToken: cancellationToken)
        );
        return row?.ToListed();
    }

    /// <summary>One page in the order of file keys. Removed files are left out.</summary>
    public async Task<IReadOnlyList<ListedFile>> ListAsync(FileFilter filter, NodeId here, CancellationToken cancellationToken)
    {
        // Only what is asked for is in the statement, so that each filter finds its index.
        string?[] conditions =
        [
            "f.state <> 'removed'",
            filter.After is null ? null : "f.file_key > @after",
            filter.Bucket is null ? null : "f.bucket = @bucket",
            filter.Owner is null ? null : "f.owner = @owner",
            filter.LocationPrefix is null ? null : "substring(f.location FROM 1 FOR length(@location)) = @location",
        ];
        var sql = $"""
            SELECT {FileRow.Columns}, r.state AS replica_state
            FROM filetransfer.files f
            {(filter.State is null ? "LEFT JOIN" : "JOIN")} filetransfer.replicas r
                ON r.node_id = @here AND r.file_key = f.file_key {(filter.State is null ? "" : "AND r.state = @state")}
            WHERE {string.Join(" AND ", conditions.OfType<string>())}
            ORDER BY f.file_key
            LIMIT @limit
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<FileRow>(
            new CommandDefinition(
                sql,
                new
                {
                    here = here.Value,
                    after = filter.After?.ToArray(),
                    bucket = filter.Bucket?.ToArray(),
                    owner = filter.Owner?.ToArray(),
                    state = filter.State is { } state ? ReplicaTransitions.NameOf(state) : null,
                    location = filter.LocationPrefix?.ToArray(),
                    limit = filter.Limit,
                },
                cancellationToken: cancellationToken
            )
        );
        return rows.Select(row => row.ToListed()).ToList();
    }

    /// <summary>Makes the file known, and locks its row as <see cref="LockAsync"/> does; one that was removed becomes registered again.</summary>
    public static async Task<(RegisterOutcome Outcome, FileRecord File)> RegisterAsync(
        NpgsqlConnection connection,
        FileKey key,
        FileMetadata metadata,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            INSERT INTO filetransfer.files AS f (file_key, owner, bucket, location, size, fingerprint, state)
            VALUES (@key, @owner, @bucket, @location, @size, @fingerprint, 'registered')
            ON CONFLICT (file_key) DO UPDATE
                SET state = 'registered', generation = f.generation + 1, registered_at = now(), removed_at = NULL
                WHERE f.state = 'removed'
            RETURNING f.generation;
            {LockSql}
            """;
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(
                sql,
                new
                {
                    key = key.ToArray(),
                    owner = metadata.Owner.ToArray(),
                    bucket = metadata.Bucket.ToArray(),
                    location = metadata.Location.ToArray(),
                    size = (long)metadata.Size,
                    fingerprint = metadata.Fingerprint.ToArray(),
                },
                cancellationToken: cancellationToken
            )
        );
        var outcome = await answers.ReadSingleOrDefaultAsync<int?>() switch
        {
            null => RegisterOutcome.Known,
            1 => RegisterOutcome.New,
            _ => RegisterOutcome.NewAfterRemoval,
        };
        return (outcome, (await answers.ReadSingleAsync<FileRow>()).ToRecord());
    }

    /// <summary>Locks the file's row against removal and registration until the transaction ends.</summary>
    public static async Task<FileRecord?> LockAsync(NpgsqlConnection connection, FileKey key, CancellationToken cancellationToken)
    {
        var row = await connection.QuerySingleOrDefaultAsync<FileRow>(
            new CommandDefinition(LockSql, new { key = key.ToArray() }, cancellationToken: cancellationToken)
        );
        return row?.ToRecord();
    }

    /// <summary>
    /// Locks, in the order of their keys, the rows of registered files that <paramref name="node"/> has stored, or <paramref name="other"/>
    /// where they were registered before a time.
    /// </summary>
    public static async Task<IReadOnlyList<FileKey>> LockRegisteredStoredAsync(
        NpgsqlConnection connection,
        NodeId node,
        NodeId? other,
        DateTime? before,
        int atMost,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT f.file_key
            FROM filetransfer.files f
            WHERE f.state = 'registered' AND EXISTS (
                SELECT FROM filetransfer.replicas r
                WHERE r.file_key = f.file_key AND r.state = 'stored'
                  AND (r.node_id = @node OR (r.node_id = @other AND f.registered_at < @before))
            )
            ORDER BY f.file_key LIMIT @atMost
            FOR UPDATE OF f SKIP LOCKED
            """;
        var rows = await connection.QueryAsync<byte[]>(
            new CommandDefinition(
                sql,
                new
                {
                    node = node.Value,
                    other = other?.Value,
                    before,
                    atMost,
                },
                cancellationToken: cancellationToken
            )
        );
        return rows.Select(row => new FileKey(row)).ToList();
    }

    /// <summary>
    /// Gives the file <c>@key</c>, whose row the transaction has locked, the state <c>@state</c> and the sequence <c>next.head</c> of the
    /// mutation that is appended with it.
    /// </summary>
    internal const string MutateSql = """
        UPDATE filetransfer.files
        SET state = @state, removed_at = CASE WHEN @state = 'removed' THEN now() END, sequence = next.head
        FROM next WHERE file_key = @key
        """;

    /// <summary>Those of the files that the catalog has heard of, removed ones too.</summary>
    public async Task<IReadOnlySet<FileKey>> KnownAsync(IReadOnlyCollection<FileKey> keys, CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<byte[]>(
            new CommandDefinition(
                "SELECT file_key FROM filetransfer.files WHERE file_key = ANY(@keys)",
                new { keys = keys.Select(key => key.ToArray()).ToArray() },
                cancellationToken: cancellationToken
            )
        );
        return rows.Select(row => new FileKey(row)).ToHashSet();
    }

    /// <summary>What a folder remembers of files of <paramref name="node"/>, whatever the state of their replicas.</summary>
    /// <remarks>OFFSET 0 has the replicas looked up one by one: a node that has just filled up looks to the server as if it had none.</remarks>
    public async Task<IReadOnlyList<LedgerFile>> ForLedgerAsync(
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            SELECT {ForLedger} FROM filetransfer.files f JOIN LATERAL (
                SELECT pinned FROM filetransfer.replicas WHERE node_id = @node AND file_key = f.file_key OFFSET 0
            ) r ON true
            WHERE f.file_key = ANY(@keys)
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<LedgerRow>(
            new CommandDefinition(
                sql,
                new { node = node.Value, keys = keys.Select(key => key.ToArray()).ToArray() },
                cancellationToken: cancellationToken
            )
        );
        return [.. rows.Select(row => row.ToLedger(history, time.GetUtcNow()))];
    }

    /// <summary>The same of a page of the files that <paramref name="node"/> has stored, in the order of their keys.</summary>
    public async Task<IReadOnlyList<LedgerFile>> StoredForLedgerAsync(
        NodeId node,
        FileKey? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            SELECT {ForLedger} FROM filetransfer.replicas r JOIN filetransfer.files f USING (file_key)
            WHERE r.node_id = @node AND r.state = 'stored' AND (@after::bytea IS NULL OR r.file_key > @after)
            ORDER BY r.file_key LIMIT @limit
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<LedgerRow>(
            new CommandDefinition(
                sql,
                new
                {
                    node = node.Value,
                    after = after?.ToArray(),
                    limit,
                },
                cancellationToken: cancellationToken
            )
        );
        return [.. rows.Select(row => row.ToLedger(history, time.GetUtcNow()))];
    }

    /// <summary>A page of all files, removed ones too, in the order of their keys: their state, and their newest mutation's sequence.</summary>
    public async Task<IReadOnlyList<(FileKey Key, FileState State, int Generation, long? Sequence)>> StatesAsync(
        FileKey? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT file_key, state, generation, sequence FROM filetransfer.files
            WHERE file_key > @after ORDER BY file_key LIMIT @limit
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(byte[] Key, string State, int Generation, long? Sequence)>(
            new CommandDefinition(sql, new { after = after?.ToArray() ?? [], limit }, cancellationToken: cancellationToken)
        );
        return
        [
            .. rows.Select(row =>
                (new FileKey(row.Key), Enum.Parse<FileState>(row.State, ignoreCase: true), row.Generation, row.Sequence)
            ),
        ];
    }

    private const string ForLedger = $"{FileRow.Columns}, f.sequence, r.pinned";
}
