using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Catalog;

/// <summary>The files of the cluster: owner of <c>filetransfer.files</c>.</summary>
public sealed partial class FileCatalog(Database database, FeedHistory history, TimeProvider time)
{
    private const string FindSql = $"SELECT {FileRow.Columns} FROM filetransfer.files f WHERE f.file_key = @key";

    public Task<FileRecord?> FindAsync(FileKey key, CancellationToken cancellationToken) =>
        database.WithConnectionAsync(connection => FindAsync(connection, key, cancellationToken), cancellationToken);

    /// <summary>The first buckets that have files, in their order: one step along an index for each.</summary>
    public static async Task<IReadOnlyList<BucketId>> BucketsAsync(
        Database database,
        int most,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            WITH RECURSIVE buckets AS (
                (SELECT bucket FROM filetransfer.files ORDER BY bucket LIMIT 1)
                UNION ALL
                SELECT (SELECT f.bucket FROM filetransfer.files f WHERE f.bucket > b.bucket ORDER BY f.bucket LIMIT 1)
                FROM buckets b WHERE b.bucket IS NOT NULL
            )
            SELECT bucket FROM buckets WHERE bucket IS NOT NULL LIMIT @most
            """;
        var buckets = await database.QueryAsync<ByteString>(sql, new { most }, cancellationToken);
        return [.. buckets.Select(bucket => new BucketId(bucket))];
    }

    public static async Task<FileRecord?> FindAsync(
        NpgsqlConnection connection,
        FileKey key,
        CancellationToken cancellationToken
    ) => (await connection.QuerySingleOrDefaultAsync<FileRow>(FindSql, new { key }, cancellationToken))?.ToRecord();

    /// <summary>The file, and the state of its replica at <paramref name="here"/>.</summary>
    public async Task<ListedFile?> FindAsync(FileKey key, NodeId here, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT {FileRow.Columns}, r.state AS replica_state
            FROM filetransfer.files f
            LEFT JOIN filetransfer.replicas r ON r.node_id = @here AND r.file_key = f.file_key
            WHERE f.file_key = @key
            """;
        return (await database.QuerySingleOrDefaultAsync<FileRow>(sql, new { here, key }, cancellationToken))?.ToListed();
    }

    /// <summary>Whether the cluster has a file of this owner, bucket, location and size, whatever its content.</summary>
    public Task<bool> HasAtAsync(FileMetadata file, long size, CancellationToken cancellationToken)
    {
        var sql = $"""
            SELECT EXISTS (
                SELECT FROM filetransfer.files f
                WHERE f.bucket = @bucket AND {_locationStart} = @start AND f.location = @location AND f.owner = @owner AND f.size = @size
                  AND f.state <> 'removed'
            )
            """;
        var location = file.Location.ToArray();
        var parameters = new
        {
            file.Owner,
            file.Bucket,
            location,
            start = Indexed(location),
            size,
        };
        return database.QuerySingleAsync<bool>(sql, parameters, cancellationToken);
    }

    /// <summary>Whether a file has this content, and has been added, in one of the buckets and of one of the owners; none = any.</summary>
    public Task<bool> HasAddedAsync(
        Fingerprint content,
        IReadOnlyCollection<ByteString> buckets,
        IReadOnlyCollection<ByteString> owners,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT EXISTS (
                SELECT FROM filetransfer.files
                WHERE fingerprint = @content AND state = 'added'
                  AND (bucket = ANY(@buckets) OR cardinality(@buckets) = 0) AND (owner = ANY(@owners) OR cardinality(@owners) = 0)
            )
            """;
        var parameters = new
        {
            content,
            buckets = buckets.Select(bucket => bucket.ToArray()).ToArray(),
            owners = owners.Select(owner => owner.ToArray()).ToArray(),
        };
        return database.QuerySingleAsync<bool>(sql, parameters, cancellationToken);
    }

    /// <summary>The buckets of files.</summary>
    public Task<IReadOnlyList<(FileKey Key, ByteString Bucket)>> BucketsOfAsync(
        IEnumerable<FileKey> keys,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync<(FileKey, ByteString)>(
            "SELECT file_key, bucket FROM filetransfer.files WHERE file_key = ANY(@keys)",
            new { keys = keys.ToParameter() },
            cancellationToken
        );

    /// <summary>SQL: some file has no Add yet.</summary>
    public const string HasRegistered =
        "(SELECT true FROM filetransfer.files WHERE state = 'registered' ORDER BY file_key LIMIT 1) IS NOT NULL";

    /// <summary>Locks, in the order of their keys, the rows of those of some files that are registered, and stored at a node.</summary>
    public static async Task<IReadOnlyList<FileKey>> LockRegisteredStoredAsync(
        NpgsqlConnection connection,
        NodeId node,
        IEnumerable<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT f.file_key
            FROM filetransfer.files f
            WHERE f.file_key = ANY(@keys) AND f.state = 'registered' AND (
                SELECT r.state = 'stored' FROM filetransfer.replicas r WHERE r.node_id = @node AND r.file_key = f.file_key
            )
            ORDER BY f.file_key
            FOR UPDATE OF f SKIP LOCKED
            """;
        return [.. await connection.QueryAsync<FileKey>(sql, new { node, keys = keys.ToParameter() }, cancellationToken)];
    }

    /// <summary>
    /// Finds registered files that <paramref name="node"/> has stored, or <paramref name="other"/> where they were registered before a time,
    /// and locks their rows in the order of their keys. Looks through all that are registered.
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
        var parameters = new
        {
            node,
            other,
            before,
            atMost,
        };
        return [.. await connection.QueryAsync<FileKey>(sql, parameters, cancellationToken)];
    }
}
