using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Catalog;

/// <summary>How many copies of its files a bucket is to keep: owner of <c>filetransfer.bucket_copies</c>.</summary>
public sealed class BucketCopies(Database database)
{
    /// <summary>SQL: so many copies of the file of row <c>f</c> are to stay, the last one in any case.</summary>
    internal const string FloorSql = "coalesce((SELECT c.copies FROM filetransfer.bucket_copies c WHERE c.bucket = f.bucket), 1)";

    /// <summary>So many under-replicated files are named.</summary>
    private const int MostNamed = 100;

    /// <summary>A bucket may have millions of files.</summary>
    private static readonly int _patience = (int)TimeSpan.FromMinutes(2).TotalSeconds;

    /// <param name="copies">Null = no floor but the last copy.</param>
    public Task SetAsync(ByteString bucket, int? copies, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            copies is null
                ? "DELETE FROM filetransfer.bucket_copies WHERE bucket = @bucket"
                : """
                INSERT INTO filetransfer.bucket_copies (bucket, copies) VALUES (@bucket, @copies)
                ON CONFLICT (bucket) DO UPDATE SET copies = EXCLUDED.copies
                """,
            new { bucket, copies },
            cancellationToken
        );

    /// <summary>How many copies there are of the bucket's files; reads all of them.</summary>
    public async Task<BucketHealthResource> HealthAsync(BucketId bucket, CancellationToken cancellationToken)
    {
        const string judged = $"""
            WITH alive AS MATERIALIZED (
                SELECT node_id FROM filetransfer.nodes n WHERE {NodeLiveness.IsHeardOf}
            ), judged AS MATERIALIZED (
                SELECT f.file_key, f.location, count(*) FILTER (WHERE r.state = 'stored' AND a.node_id IS NOT NULL) AS copies,
                    coalesce(bool_or({ReplicaSql.IsLacking}), false) AS is_lacking
                FROM filetransfer.files f
                LEFT JOIN filetransfer.replicas r ON r.file_key = f.file_key
                LEFT JOIN alive a ON a.node_id = r.node_id
                WHERE f.bucket = @bucket AND f.state = 'added'
                GROUP BY f.file_key
            )
            """;
        const string isUnder = "(copies = 0 OR CASE WHEN @floor::integer IS NULL THEN is_lacking ELSE copies < @floor END)";
        const string sql = $"""
            {judged}
            SELECT (SELECT count(*) FROM filetransfer.nodes), count(*), coalesce(sum(copies), 0)::bigint,
                count(*) FILTER (WHERE {isUnder}), count(*) FILTER (WHERE copies = 0)
            FROM judged;
            {judged}
            SELECT file_key, location, copies FROM judged WHERE {isUnder} ORDER BY file_key LIMIT @most
            """;
        var floor = await database.QuerySingleOrDefaultAsync<int?>(
            "SELECT copies FROM filetransfer.bucket_copies WHERE bucket = @bucket",
            new { bucket = bucket.Value },
            cancellationToken
        );
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(
                sql,
                new
                {
                    bucket = bucket.Value,
                    floor,
                    most = MostNamed,
                },
                commandTimeout: _patience,
                cancellationToken: cancellationToken
            )
        );
        var (nodes, files, stored, under, missing) = await answers.ReadSingleAsync<(long, long, long, long, long)>();
        var first = await answers.ReadAsync<(FileKey Key, ByteString Location, long Copies)>();
        return new BucketHealthResource(
            bucket.ToString(),
            floor,
            (int)nodes,
            files,
            stored,
            under,
            missing,
            [.. first.Select(file => new UnderReplicatedFile(file.Key.ToString(), file.Location.AsUtf8(), (int)file.Copies))]
        );
    }
}
