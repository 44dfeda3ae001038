using FileTransfer.Catalog;

namespace FileTransfer.Feed.Upstreams;

/// <summary>What upstreams have: owner of <c>filetransfer.upstream_files</c>. All of it runs in transactions of the leader's.</summary>
public static class UpstreamFiles
{
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
                FROM unnest(@keys::bytea[], @bins::smallint[], @buckets::bytea[], @clusters::text[], @epochs::uuid[], @sequences::bigint[])
                    AS a (file_key, bin, bucket, cluster, epoch, sequence)
                JOIN filetransfer.upstream_bins b ON b.upstream = @upstream AND b.bin = a.bin
            ), put AS (
                INSERT INTO filetransfer.upstream_files
                    (upstream, file_key, bin, bucket, origin_cluster, origin_epoch, origin_sequence, claims, round)
                SELECT @upstream, file_key, bin, bucket, cluster, epoch, sequence, cluster <> @cluster, round FROM given
                ON CONFLICT (upstream, file_key) DO UPDATE
                    SET origin_cluster = EXCLUDED.origin_cluster, origin_epoch = EXCLUDED.origin_epoch,
                        origin_sequence = EXCLUDED.origin_sequence, claims = EXCLUDED.claims, round = EXCLUDED.round
            )
            SELECT given.file_key FROM given WHERE NOT EXISTS (
                SELECT FROM filetransfer.upstream_files u
                WHERE u.upstream = @upstream AND u.file_key = given.file_key AND u.round = given.round
            )
            """;
        var parameters = new
        {
            upstream,
            cluster,
            keys = adds.Select(add => add.Key).ToParameter(),
            bins = adds.Select(add => (short)add.Bin).ToArray(),
            buckets = adds.Select(add => add.Details!.Metadata!.Bucket.ToArray()).ToArray(),
            clusters = adds.Select(add => add.Details!.Origin.Cluster).ToArray(),
            epochs = adds.Select(add => add.Details!.Origin.Epoch).ToArray(),
            sequences = adds.Select(add => add.Details!.Origin.Sequence).ToArray(),
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
                DELETE FROM filetransfer.upstream_files u USING filetransfer.upstream_bins b
                WHERE u.upstream = @upstream AND u.file_key = ANY(@keys) AND b.upstream = u.upstream AND b.bin = u.bin
                RETURNING u.file_key, u.round = b.round AS is_of_round
            )
            SELECT file_key FROM ended WHERE is_of_round
            """;
        return connection.QueryAsync<FileKey>(sql, new { upstream, keys = keys.ToParameter() }, cancellationToken);
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
