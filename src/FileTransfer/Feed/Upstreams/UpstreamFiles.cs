using FileTransfer.Catalog;

namespace FileTransfer.Feed.Upstreams;

/// <summary>What upstreams have: owner of <c>filetransfer.upstream_files</c>. All of it runs in transactions of the leader's.</summary>
public static class UpstreamFiles
{
    private const string Known = """
        FROM filetransfer.upstream_files
        WHERE upstream = @upstream AND file_key BETWEEN @first AND @last AND kept_since IS NULL
        """;

    /// <summary>Records Adds of an upstream, each file once; a later Add of a file takes the place of the former.</summary>
    /// <param name="cluster">This cluster: what was appended here first makes no claim.</param>
    /// <returns>Those that the upstream was not known to have.</returns>
    public static Task<IEnumerable<FileKey>> PutAsync(
        NpgsqlConnection connection,
        string upstream,
        string cluster,
        IReadOnlyCollection<Mutation> adds,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            WITH given AS (
                SELECT a.*, b.round
                FROM unnest(
                    @keys::bytea[], @bins::smallint[], @sequences::bigint[], @buckets::bytea[],
                    @clusters::text[], @epochs::uuid[], @originSequences::bigint[]
                ) AS a (file_key, bin, sequence, bucket, cluster, epoch, origin_sequence)
                JOIN filetransfer.upstream_bins b ON b.upstream = @upstream AND b.bin = a.bin
            ), put AS (
                INSERT INTO filetransfer.upstream_files
                    (upstream, file_key, bin, sequence, bucket, origin_cluster, origin_epoch, origin_sequence, claims, round)
                SELECT @upstream, file_key, bin, sequence, bucket, cluster, epoch, origin_sequence, cluster <> @cluster, round FROM given
                ON CONFLICT (upstream, file_key) DO UPDATE
                    SET sequence = EXCLUDED.sequence, origin_cluster = EXCLUDED.origin_cluster, origin_epoch = EXCLUDED.origin_epoch,
                        origin_sequence = EXCLUDED.origin_sequence, claims = EXCLUDED.claims, round = EXCLUDED.round,
                        kept_since = NULL
            )
            SELECT given.file_key FROM given WHERE NOT EXISTS (
                SELECT FROM filetransfer.upstream_files u
                WHERE u.upstream = @upstream AND u.file_key = given.file_key AND u.kept_since IS NULL
            )
            """;
        var parameters = new
        {
            upstream,
            cluster,
            keys = adds.Select(add => add.Key).ToParameter(),
            bins = adds.Select(add => (short)add.Bin).ToArray(),
            sequences = adds.Select(add => add.Sequence).ToArray(),
            buckets = adds.Select(add => add.Details!.Metadata!.Bucket.ToArray()).ToArray(),
            clusters = adds.Select(add => add.Details!.Origin.Cluster).ToArray(),
            epochs = adds.Select(add => add.Details!.Origin.Epoch).ToArray(),
            originSequences = adds.Select(add => add.Details!.Origin.Sequence).ToArray(),
        };
        return connection.QueryAsync<FileKey>(sql, parameters, cancellationToken);
    }

    /// <summary>The upstream has these no more.</summary>
    /// <returns>Those of them that it was known to have.</returns>
    public static Task<IEnumerable<FileKey>> EndAsync(
        NpgsqlConnection connection,
        string upstream,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            WITH ended AS (
                DELETE FROM filetransfer.upstream_files WHERE upstream = @upstream AND file_key = ANY(@keys) RETURNING file_key, kept_since
            )
            SELECT file_key FROM ended WHERE kept_since IS NULL
            """;
        return keys.Count == 0
            ? Task.FromResult<IEnumerable<FileKey>>([])
            : connection.QueryAsync<FileKey>(sql, new { upstream, keys = keys.ToParameter() }, cancellationToken);
    }

    /// <summary>
    /// Of the files of a part of a bin the upstream has these alone: others are kept from now on, where they are a reason for the file to be
    /// here, and forgotten where not.
    /// </summary>
    /// <returns>Those that it was known to have.</returns>
    public static Task<IEnumerable<FileKey>> KeepOthersAsync(
        NpgsqlConnection connection,
        string upstream,
        ComparedPart part,
        CancellationToken cancellationToken
    )
    {
        const string others = "upstream = @upstream AND file_key > @after AND file_key <= @last AND file_key <> ALL(@keys)";
        const string sql = $"""
            WITH kept AS (
                UPDATE filetransfer.upstream_files SET kept_since = now() WHERE {others} AND claims AND kept_since IS NULL
                RETURNING file_key
            ), gone AS (
                DELETE FROM filetransfer.upstream_files WHERE {others} AND NOT claims RETURNING file_key
            )
            SELECT file_key FROM kept UNION ALL SELECT file_key FROM gone
            """;
        var parameters = new
        {
            upstream,
            part.After,
            part.Last,
            keys = part.Files.Select(file => file.Key).ToParameter(),
        };
        return connection.QueryAsync<FileKey>(sql, parameters, cancellationToken);
    }

    /// <summary>The files of a range that the upstream is known to have.</summary>
    public static Task<IEnumerable<FileKey>> KnownAsync(
        NpgsqlConnection connection,
        string upstream,
        KeyPrefix range,
        CancellationToken cancellationToken
    ) =>
        connection.QueryAsync<FileKey>(
            $"SELECT file_key {Known}",
            new
            {
                upstream,
                range.First,
                range.Last,
            },
            cancellationToken
        );

    /// <summary>Takes some of the files that are kept out of what is known of the upstream; their rows are locked.</summary>
    /// <returns>Which they are.</returns>
    public static Task<IEnumerable<FileKey>> ForgetKeptAsync(
        NpgsqlConnection connection,
        string upstream,
        IEnumerable<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            DELETE FROM filetransfer.upstream_files WHERE upstream = @upstream AND file_key = ANY(@keys) AND kept_since IS NOT NULL
            RETURNING file_key
            """;
        return connection.QueryAsync<FileKey>(sql, new { upstream, keys = keys.ToParameter() }, cancellationToken);
    }

    /// <summary>What the upstream is known to have in the parts of a range.</summary>
    public static async Task<IReadOnlyList<RangeDigest>> RangesAsync(
        Database database,
        string upstream,
        KeyPrefix range,
        CancellationToken cancellationToken
    )
    {
        var sql = RangeDigest.SqlOf($"SELECT file_key, origin_cluster {Known}");
        var parameters = new
        {
            upstream,
            range.First,
            range.Last,
            digits = range.Digits.Length + KeyPrefix.Step,
        };
        return
        [
            .. (await database.QueryAsync<RangeDigest.Row>(sql, parameters, cancellationToken)).Select(row => row.ToDigest()),
        ];
    }

    /// <summary>Which upstreams claim which of the files, and by what origin.</summary>
    /// <param name="upstreams">Those that are configured: what is not, claims nothing.</param>
    public static async Task<ILookup<FileKey, UpstreamClaim>> ClaimsAsync(
        NpgsqlConnection connection,
        IEnumerable<string> upstreams,
        IEnumerable<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT file_key, upstream, origin_cluster, origin_epoch, origin_sequence FROM filetransfer.upstream_files
            WHERE file_key = ANY(@keys) AND claims AND upstream = ANY(@upstreams)
            ORDER BY file_key, upstream
            """;
        var parameters = new { keys = keys.ToParameter(), upstreams = upstreams.ToArray() };
        var rows = await connection.QueryAsync<(FileKey Key, string Upstream, string Cluster, Guid Epoch, long Sequence)>(
            sql,
            parameters,
            cancellationToken
        );
        return rows.ToLookup(
            row => row.Key,
            row => new UpstreamClaim(row.Upstream, new MutationOrigin(row.Cluster, row.Epoch, row.Sequence))
        );
    }
}

/// <summary>An upstream wants a file to be in this cluster.</summary>
/// <param name="Origin">Of its newest Add.</param>
public sealed record UpstreamClaim(string Upstream, MutationOrigin Origin);
