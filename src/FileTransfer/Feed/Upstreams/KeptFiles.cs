using FileTransfer.Catalog;

namespace FileTransfer.Feed.Upstreams;

/// <param name="IsClaimed">This cluster itself, or another upstream, has a claim to it besides.</param>
public sealed record KeptUpstreamFile(FileKey Key, FileMetadata Metadata, bool IsClaimed, DateTimeOffset Since);

/// <summary>The files that comparisons did not find at an upstream any more.</summary>
public sealed class KeptFiles(Database database, IOptions<SyncOptions> sync)
{
    private const int PageSize = 500;

    private readonly string[] _upstreams = [.. sync.Value.Upstreams.Select(upstream => upstream.Name)];

    /// <summary>All of them, in the order of their keys.</summary>
    public async IAsyncEnumerable<KeptUpstreamFile> ReadAsync(
        string upstream,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            SELECT {FileRow.Columns}, u.kept_since, f.own OR EXISTS (
                SELECT FROM filetransfer.upstream_files o
                WHERE o.file_key = u.file_key AND o.claims AND o.upstream <> @upstream AND o.upstream = ANY(@upstreams)
            ) AS is_claimed
            FROM filetransfer.upstream_files u JOIN filetransfer.files f USING (file_key)
            WHERE u.upstream = @upstream AND u.kept_since IS NOT NULL AND u.file_key > @after
            ORDER BY u.file_key LIMIT @limit
            """;
        byte[] after = [];
        while (true)
        {
            var parameters = new
            {
                upstream,
                upstreams = _upstreams,
                after,
                limit = PageSize,
            };
            var rows = await database.QueryAsync<Row>(sql, parameters, cancellationToken);
            foreach (var row in rows)
            {
                yield return new KeptUpstreamFile(row.FileKey, row.ToRecord().Metadata, row.IsClaimed, row.KeptSince);
            }

            if (rows.Count < PageSize)
            {
                yield break;
            }

            after = rows[^1].FileKey.ToArray();
        }
    }

    /// <summary>The first of them.</summary>
    public static Task<IReadOnlyList<FileKey>> FirstAsync(
        Database database,
        string upstream,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync<FileKey>(
            "SELECT file_key FROM filetransfer.upstream_files WHERE upstream = @upstream AND kept_since IS NOT NULL ORDER BY file_key LIMIT @limit",
            new { upstream, limit },
            cancellationToken
        );

    private sealed class Row : FileRow
    {
        public required DateTimeOffset KeptSince { get; init; }
        public required bool IsClaimed { get; init; }
    }
}
