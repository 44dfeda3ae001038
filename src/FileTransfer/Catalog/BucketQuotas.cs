namespace FileTransfer.Catalog;

/// <summary>How much the files of buckets may be: owner of <c>filetransfer.quotas</c>.</summary>
/// <remarks>
/// The row of a bucket is changed by the transaction that adds or removes files, so that one bucket's are counted one after the other and none too
/// many; its row is taken after those of files and before those of bins. A bucket without a quota has no row, and nobody waits for it.
/// </remarks>
public sealed class BucketQuotas(Database database)
{
    private const string Columns =
        "q.bucket, q.bytes, q.files, greatest(least(q.used_bytes, 1e28), -1e28) AS used_bytes, q.used_files";

    /// <summary>An expression of WITH: counts the files of <c>registered</c>.</summary>
    internal const string CountSql = """
        counted AS (
            UPDATE filetransfer.quotas q SET used_bytes = q.used_bytes + come.bytes, used_files = q.used_files + come.files
            FROM (SELECT bucket, sum(size) AS bytes, count(*) AS files FROM registered GROUP BY bucket) come
            WHERE q.bucket = come.bucket
        )
        """;

    /// <summary>The quotas of <c>@buckets</c> that are exceeded.</summary>
    internal const string ExceededSql =
        $"SELECT {Columns} FROM filetransfer.quotas q WHERE q.bucket = ANY(@buckets) AND (q.used_bytes > q.bytes OR q.used_files > q.files)";

    /// <summary>Takes the files <c>@keys</c>, which are about to be removed, out of the count.</summary>
    internal const string ReleaseSql = """
        UPDATE filetransfer.quotas q SET used_bytes = q.used_bytes - gone.bytes, used_files = q.used_files - gone.files
        FROM (
            SELECT bucket, sum(size) AS bytes, count(*) AS files FROM filetransfer.files
            WHERE file_key = ANY(@keys) AND state <> 'removed' GROUP BY bucket
        ) gone
        WHERE q.bucket = gone.bucket
        """;

    /// <summary>Of files that were registered in a transaction, those that go too far, in the order given; none where all have room.</summary>
    /// <param name="exceeded">As <see cref="ExceededSql"/> has them after that.</param>
    internal static IReadOnlyDictionary<FileKey, BucketQuota> TooMuchOf(
        IEnumerable<(FileKey Key, FileMetadata Metadata)> registered,
        IEnumerable<BucketQuota> exceeded
    )
    {
        var ofBuckets = registered.ToLookup(file => file.Metadata.Bucket);
        var tooMuch = new Dictionary<FileKey, BucketQuota>();
        foreach (var quota in exceeded)
        {
            var files = ofBuckets[quota.Bucket];
            var before = quota with
            {
                UsedBytes = quota.UsedBytes - files.Sum(file => (decimal)file.Metadata.Size),
                UsedFiles = quota.UsedFiles - files.Count(),
            };
            var with = before;
            foreach (var (key, metadata) in files)
            {
                if (with.HasRoomFor(metadata.Size, 1))
                {
                    with = with with { UsedBytes = with.UsedBytes + metadata.Size, UsedFiles = with.UsedFiles + 1 };
                }
                else
                {
                    tooMuch[key] = before;
                }
            }
        }

        return tooMuch;
    }

    /// <summary>A page of the quotas, in the order of their buckets.</summary>
    public Task<IReadOnlyList<BucketQuota>> PageAsync(ByteString after, int limit, CancellationToken cancellationToken) =>
        database.QueryAsync<BucketQuota>(
            $"SELECT {Columns} FROM filetransfer.quotas q WHERE q.bucket > @after ORDER BY q.bucket LIMIT @limit",
            new { after = after.ToArray(), limit },
            cancellationToken
        );

    public Task<BucketQuota?> FindAsync(ByteString bucket, CancellationToken cancellationToken) =>
        database.QuerySingleOrDefaultAsync<BucketQuota>(
            $"SELECT {Columns} FROM filetransfer.quotas q WHERE q.bucket = @bucket",
            new { bucket },
            cancellationToken
        );

    /// <summary>Sets what is allowed, and counts what there is. Until that is counted, no file is added or removed.</summary>
    /// <remarks>Whoever adds or removes files writes to this table first, so that the lock waits for those who have, and keeps out the others.</remarks>
    public async Task<BucketQuota> SetAsync(ByteString bucket, long? bytes, long? files, CancellationToken cancellationToken)
    {
        const string sql = $"""
            LOCK TABLE filetransfer.quotas IN SHARE ROW EXCLUSIVE MODE;
            INSERT INTO filetransfer.quotas AS q (bucket, bytes, files, used_bytes, used_files)
            SELECT @bucket, @bytes, @files, coalesce(sum(size), 0), count(*) FROM filetransfer.files WHERE bucket = @bucket AND state <> 'removed'
            ON CONFLICT (bucket) DO UPDATE
                SET bytes = EXCLUDED.bytes, files = EXCLUDED.files, used_bytes = EXCLUDED.used_bytes, used_files = EXCLUDED.used_files
            RETURNING {Columns}
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var parameters = new
        {
            bucket,
            bytes,
            files,
        };
        var quota = await database.LockWaits.WatchAsync(
            connection,
            connection.QuerySingleAsync<BucketQuota>(sql, parameters, cancellationToken)
        );
        await database.Commits.CommitAsync(transaction);
        return quota;
    }

    /// <returns>Whether there was one.</returns>
    public async Task<bool> RemoveAsync(ByteString bucket, CancellationToken cancellationToken) =>
        await database.ExecuteAsync("DELETE FROM filetransfer.quotas WHERE bucket = @bucket", new { bucket }, cancellationToken)
        > 0;
}
