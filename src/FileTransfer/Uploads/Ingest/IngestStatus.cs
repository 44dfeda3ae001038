namespace FileTransfer.Uploads.Ingest;

/// <summary>What is known of watched folders, whoever watches them.</summary>
internal sealed class IngestStatus(Database database, WatchedFolders watched, NodeId node)
{
    /// <summary>A number that has not come so long after a later one is lost.</summary>
    private const string Patience = "1 minute";

    /// <param name="folder">One alone; null = all.</param>
    /// <param name="after">Names behind this one.</param>
    /// <param name="limit">Names of each folder.</param>
    public async Task<IngestResource> ReadAsync(string? folder, string after, int limit, CancellationToken cancellationToken)
    {
        const string counts = """
            SELECT ingest, count(ingested_at), count(*) FILTER (WHERE reason IS NOT NULL AND (ingested_at IS NULL OR size > 0))
            FROM filetransfer.ingested
            WHERE @folder::text IS NULL OR ingest = @folder GROUP BY ingest
            """;
        var known = await database.QueryAsync<(string Name, long Ingested, long Refused)>(
            counts,
            new { folder },
            cancellationToken
        );
        var here = watched.All.Where(one => folder is null || one.Options.Name == folder).ToDictionary(one => one.Options.Name);
        var folders = new List<IngestFolderResource>();
        foreach (var name in known.Select(one => one.Name).Union(here.Keys).Order(StringComparer.Ordinal))
        {
            var (_, ingested, refused) = known.FirstOrDefault(one => one.Name == name);
            var watching = here.GetValueOrDefault(name);
            var files = await FilesAsync(name, after, limit, cancellationToken);
            folders.Add(
                new IngestFolderResource(
                    name,
                    watching?.Options.Folder,
                    watching?.Options.Pattern,
                    watching?.Fault,
                    watching?.ListedAt,
                    ingested,
                    refused,
                    await SeriesAsync(name, cancellationToken),
                    files,
                    files.Count == limit ? files[^1].Name : null
                )
            );
        }

        return new IngestResource(node.Value, folders);
    }

    /// <summary>How many names were ingested once and have other bytes now, and the first of them; null where there are none.</summary>
    public Task<(string Ingest, string Name, long Count)?> ConflictsAsync(CancellationToken cancellationToken) =>
        database.QuerySingleOrDefaultAsync<(string, string, long)?>(
            """
            SELECT ingest, name, count(*) OVER () FROM filetransfer.ingested
            WHERE reason IS NOT NULL AND ingested_at IS NOT NULL AND size > 0 ORDER BY ingest, name LIMIT 1
            """,
            null,
            cancellationToken
        );

    private async Task<IReadOnlyList<IngestedFileResource>> FilesAsync(
        string ingest,
        string after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            SELECT i.name, i.node_id, i.size, i.file_key, i.ingested_at, i.deleted_at, i.reason,
                ARRAY(SELECT given.name FROM ({Acknowledgements.Given}) given WHERE f.state = 'added' ORDER BY given.name) AS acknowledged_by
            FROM filetransfer.ingested i LEFT JOIN filetransfer.files f USING (file_key)
            WHERE i.ingest = @ingest AND i.name > @after ORDER BY i.name LIMIT @limit
            """;
        var parameters = new
        {
            ingest,
            after,
            limit,
        };
        var rows = await database.QueryAsync<Row>(sql, parameters, cancellationToken);
        return
        [
            .. rows.Select(row => new IngestedFileResource(
                row.Name,
                row.NodeId,
                row.Size,
                row.FileKey?.ToString(),
                row.IngestedAt,
                row.DeletedAt,
                row.Reason,
                row.AcknowledgedBy
            )),
        ];
    }

    /// <summary>
    /// Runs of numbers and the gaps between them. Numbers that are not written in a fixed width are a series only where most are there: a
    /// time or a version in a name is none.
    /// </summary>
    private async Task<IReadOnlyList<IngestRunResource>> SeriesAsync(string ingest, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT series, min(number) AS first, max(number) AS last, bool_or(is_padded) AS is_padded,
                min(ingested_at) < now() - interval '{Patience}' AS is_old
            FROM (
                SELECT *, number - row_number() OVER (PARTITION BY series ORDER BY number) AS run FROM (
                    SELECT series, number, bool_or(is_padded) AS is_padded, min(ingested_at) AS ingested_at
                    FROM filetransfer.ingested WHERE ingest = @ingest AND series IS NOT NULL AND ingested_at IS NOT NULL
                        AND number BETWEEN 0 AND 999999999999999999
                    GROUP BY series, number
                ) numbers
            ) runs
            GROUP BY series, run ORDER BY series, first
            """;
        var runs = await database.QueryAsync<(string Series, long First, long Last, bool IsPadded, bool IsOld)>(
            sql,
            new { ingest },
            cancellationToken
        );
        var answer = new List<IngestRunResource>();
        foreach (var series in runs.GroupBy(run => run.Series))
        {
            var found = series.Sum(run => run.Last - run.First + 1);
            var missing = series.Max(run => run.Last) - series.Min(run => run.First) + 1 - found;
            if (!series.Any(run => run.IsPadded) && (missing > found || found == 1))
            {
                continue;
            }

            long? last = null;
            foreach (var run in series)
            {
                if (last is { } before)
                {
                    var state = run.IsOld ? IngestRunResource.Lost : IngestRunResource.Delayed;
                    answer.Add(RunOf(series.Key, before + 1, run.First - 1, state));
                }

                answer.Add(RunOf(series.Key, run.First, run.Last, IngestRunResource.Found));
                last = run.Last;
            }
        }

        return answer;
    }

    private static IngestRunResource RunOf(string series, long from, long to, string state) =>
        new(series, NumberedName.NumberOf(series, from), NumberedName.NumberOf(series, to), to - from + 1, state);

    private sealed class Row
    {
        public required string Name { get; init; }
        public required string NodeId { get; init; }
        public long? Size { get; init; }
        public FileKey? FileKey { get; init; }
        public DateTimeOffset? IngestedAt { get; init; }
        public DateTimeOffset? DeletedAt { get; init; }
        public string? Reason { get; init; }
        public required string[] AcknowledgedBy { get; init; }
    }
}
