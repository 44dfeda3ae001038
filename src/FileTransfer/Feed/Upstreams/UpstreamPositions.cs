using FileTransfer.Identity.Hashing;

namespace FileTransfer.Feed.Upstreams;

/// <summary>Which history of an upstream's feed is read, and how far: owner of <c>filetransfer.upstreams</c> and <c>filetransfer.upstream_bins</c>.</summary>
/// <remarks>
/// Intervals of sequences are sealed: inclusive, merged by their type, and added to in the transaction that applies what they stand for. What is
/// read next is the first gap between them.
/// </remarks>
public static partial class UpstreamPositions
{
    /// <summary>SQL: an <see cref="UpstreamPosition"/> of row <c>b</c>.</summary>
    internal const string Columns = """
        b.bin, b.sealed,
        (SELECT upper(gap) - 1 FROM unnest('{[1,)}'::int8multirange - b.intervals) gap ORDER BY gap LIMIT 1) AS gap_until,
        coalesce(upper(b.intervals) - 1, 0) AS newest,
        (SELECT coalesce(sum(upper(part) - lower(part)), 0)::bigint FROM unnest(b.intervals) part) AS applied,
        b.compare_due
        """;

    private const string RestartSql = "SET intervals = '{}', round = round + 1, compare_due = true WHERE upstream = @upstream";

    /// <summary>
    /// Notes the history that an upstream tells of. Where it is another than before, or has gone back, nothing of it is sealed any more, and
    /// its bins are compared.
    /// </summary>
    /// <param name="upstreams">Those that are configured.</param>
    /// <exception cref="UpstreamFaultException">It is another cluster than before, or has the id of another upstream's.</exception>
    public static async Task<IReadOnlyList<UpstreamPosition>> SettleAsync(
        NpgsqlConnection connection,
        string upstream,
        IReadOnlyCollection<string> upstreams,
        UpstreamCursors told,
        CancellationToken cancellationToken
    )
    {
        // Of two that are met first at the same time, one sees the other.
        const string begin = """
            LOCK TABLE filetransfer.upstreams IN SHARE ROW EXCLUSIVE MODE;
            INSERT INTO filetransfer.upstreams (name, cluster_id, feed_epoch) VALUES (@upstream, @cluster, @epoch) ON CONFLICT DO NOTHING;
            INSERT INTO filetransfer.upstream_bins (upstream, bin) SELECT @upstream, generate_series(0, 15) ON CONFLICT DO NOTHING;
            SELECT cluster_id, feed_epoch,
                (SELECT min(o.name) FROM filetransfer.upstreams o
                 WHERE o.cluster_id = @cluster AND o.name <> u.name AND o.name = ANY(@upstreams)) AS other
            FROM filetransfer.upstreams u WHERE name = @upstream FOR UPDATE
            """;
        const string positions =
            $"SELECT {Columns} FROM filetransfer.upstream_bins b WHERE b.upstream = @upstream ORDER BY b.bin";
        const string begun = $"""
            UPDATE filetransfer.upstreams SET feed_epoch = @epoch WHERE name = @upstream;
            UPDATE filetransfer.upstream_bins {RestartSql};
            DELETE FROM filetransfer.upstream_removals WHERE upstream = @upstream
            """;
        var parameters = new
        {
            upstream,
            upstreams,
            told.Cluster,
            told.Epoch,
        };
        var (cluster, epoch, other) = await connection.QuerySingleAsync<(string, Guid, string?)>(
            begin,
            parameters,
            cancellationToken
        );
        if (cluster != told.Cluster)
        {
            throw new UpstreamFaultException(
                $"it is of cluster '{told.Cluster}', and what was pulled under its name is of cluster '{cluster}'; give it another name, or the URL of that cluster"
            );
        }

        if (other is not null)
        {
            throw new UpstreamFaultException(
                $"it is of cluster '{cluster}', and so is upstream '{other}'; the ids of clusters that meet must differ: rename one, or configure one upstream with several URLs"
            );
        }

        var known = (await connection.QueryAsync<UpstreamPosition>(positions, parameters, cancellationToken)).AsList();
        if (epoch == told.Epoch && known.All(bin => bin.Newest <= told.Heads[bin.Bin]))
        {
            return known;
        }

        await connection.ExecuteAsync(begun, parameters, cancellationToken);
        return (await connection.QueryAsync<UpstreamPosition>(positions, parameters, cancellationToken)).AsList();
    }

    /// <summary>Seals what a page has, in the transaction that applies it.</summary>
    /// <returns>Null where some of it has been sealed, or the bin is in another history.</returns>
    public static Task<UpstreamPosition?> SealAsync(
        NpgsqlConnection connection,
        string upstream,
        FeedPage page,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            UPDATE filetransfer.upstream_bins b SET intervals = b.intervals + int8multirange(int8range(@after + 1, @last, '[]'))
            FROM filetransfer.upstreams u
            WHERE u.name = b.upstream AND b.upstream = @upstream AND b.bin = @bin
              AND u.feed_epoch = @epoch AND NOT b.intervals && int8range(@after + 1, @last, '[]') AND NOT b.compare_due
            RETURNING {Columns}
            """;
        var parameters = new
        {
            upstream,
            page.Bin,
            page.Epoch,
            page.After,
            page.Last,
        };
        return connection.QuerySingleOrDefaultAsync<UpstreamPosition>(sql, parameters, cancellationToken);
    }

    /// <summary>Counts files in and out of the digest of what the upstream has, in the transaction that notes them; they are of one bin.</summary>
    public static async Task CountAsync(
        NpgsqlConnection connection,
        string upstream,
        IEnumerable<FileKey> come,
        IEnumerable<FileKey> gone,
        CancellationToken cancellationToken
    )
    {
        const string read = "SELECT digest FROM filetransfer.upstream_bins WHERE upstream = @upstream AND bin = @bin FOR UPDATE";
        const string write = "UPDATE filetransfer.upstream_bins SET digest = @state WHERE upstream = @upstream AND bin = @bin";
        foreach (
            var keys in come.Select(key => (key, isThere: true))
                .Concat(gone.Select(key => (key, isThere: false)))
                .GroupBy(one => one.key.Bin)
        )
        {
            var bin = (short)keys.Key;
            var state = await connection.QuerySingleAsync<byte[]?>(read, new { upstream, bin }, cancellationToken);
            var digest = state is null ? new SetDigest() : new SetDigest(state);
            foreach (var (key, isThere) in keys)
            {
                if (isThere)
                {
                    digest.Add(key);
                }
                else
                {
                    digest.Remove(key);
                }
            }

            await connection.ExecuteAsync(
                write,
                new
                {
                    upstream,
                    bin,
                    state = digest.ToArray(),
                },
                cancellationToken
            );
        }
    }

    /// <summary>What the upstream has as far as it has been applied: by bin, the sequence and the digest.</summary>
    public static async Task<IReadOnlyList<(long Sealed, Hash256 Digest)>> DigestsAsync(
        Database database,
        string upstream,
        CancellationToken cancellationToken
    )
    {
        const string sql = "SELECT sealed, digest FROM filetransfer.upstream_bins WHERE upstream = @upstream ORDER BY bin";
        var rows = await database.QueryAsync<(long Sealed, byte[]? State)>(sql, new { upstream }, cancellationToken);
        return [.. rows.Select(row => (row.Sealed, DigestOf(row.State)))];
    }

    /// <summary>How far a bin of an upstream has been applied, and what it has by that; null before it was heard of first.</summary>
    public static async Task<AppliedBin?> FindAsync(
        Database database,
        string upstream,
        short bin,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT sealed, compare_due, digest FROM filetransfer.upstream_bins WHERE upstream = @upstream AND bin = @bin
            """;
        var row = await database.QuerySingleOrDefaultAsync<(long Sealed, bool CompareDue, byte[]? State)?>(
            sql,
            new { upstream, bin },
            cancellationToken
        );
        return row is { } found ? new AppliedBin(found.Sealed, found.CompareDue, DigestOf(found.State)) : null;
    }

    /// <summary>The history of an upstream's feed that is followed; null before it was heard of first.</summary>
    public static Task<Guid?> EpochAsync(Database database, string upstream, CancellationToken cancellationToken) =>
        database.QuerySingleOrDefaultAsync<Guid?>(
            "SELECT feed_epoch FROM filetransfer.upstreams WHERE name = @upstream",
            new { upstream },
            cancellationToken
        );

    /// <summary>Notes where the nodes of a cluster that ships to this one answer.</summary>
    public static Task SetUrlsAsync(
        Database database,
        string upstream,
        IEnumerable<Uri> urls,
        CancellationToken cancellationToken
    ) =>
        database.ExecuteAsync(
            "UPDATE filetransfer.upstreams SET urls = @urls WHERE name = @upstream AND urls IS DISTINCT FROM @urls",
            new { upstream, urls = urls.Select(url => url.AbsoluteUri).ToArray() },
            cancellationToken
        );

    /// <summary>Where the nodes of a cluster that ships to this one answer, as it said last.</summary>
    public static async Task<IReadOnlyList<Uri>> UrlsAsync(
        Database database,
        string upstream,
        CancellationToken cancellationToken
    )
    {
        const string sql = "SELECT unnest(urls) FROM filetransfer.upstreams WHERE name = @upstream";
        var urls = await database.QueryAsync<string?>(sql, new { upstream }, cancellationToken);
        return [.. urls.Select(url => url is null ? null : WrittenUrl.Read(url)).OfType<Uri>()];
    }

    private static Hash256 DigestOf(byte[]? state) => (state is null ? new SetDigest() : new SetDigest(state)).ToHash();
}

/// <param name="Sealed">Every sequence up to it has been applied.</param>
/// <param name="GapUntil">The last sequence of the gap that follows it; null where none beyond has been applied.</param>
/// <param name="Newest">The newest sequence that has been applied.</param>
/// <param name="Applied">How many have been.</param>
/// <param name="CompareDue">The bin is to be compared first.</param>
public sealed record UpstreamPosition(short Bin, long Sealed, long? GapUntil, long Newest, long Applied, bool CompareDue);

/// <summary>How far a bin has been applied in its order.</summary>
/// <param name="Digest">Of the files that the upstream has by that.</param>
public sealed record AppliedBin(long Sealed, bool CompareDue, Hash256 Digest);

/// <summary>How far an upstream says that its feed goes.</summary>
/// <param name="Heads">The newest sequence of each bin.</param>
/// <param name="Digests">Of the files that each bin has as of its newest sequence.</param>
/// <param name="RetainedFrom">The first sequence of each bin that it keeps.</param>
public sealed record UpstreamCursors(
    string Cluster,
    Guid Epoch,
    IReadOnlyList<long> Heads,
    IReadOnlyList<Hash256> Digests,
    IReadOnlyList<long> RetainedFrom
)
{
    /// <summary>Whether this is the same history, gone on from where it was.</summary>
    public bool GoesOnFrom(UpstreamCursors before) =>
        Cluster == before.Cluster && Epoch == before.Epoch && Heads.Zip(before.Heads).All(head => head.First >= head.Second);
}
