using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Feed.Upstreams;

/// <param name="Epoch">The history of its feed that is read.</param>
/// <param name="Lacking">Files that it claims and whose content this node wants and has not stored.</param>
/// <param name="Kept">Files that a comparison did not find there any more.</param>
public sealed record UpstreamCounts(
    string Cluster,
    Guid Epoch,
    long Files,
    long Lacking,
    long Kept,
    IReadOnlyList<UpstreamPosition> Bins
);

/// <summary>What is kept of each upstream, in numbers.</summary>
public sealed class UpstreamSummary(Database database, NodeId node)
{
    private const string MostCounted = "10000";

    public async Task<IReadOnlyDictionary<string, UpstreamCounts>> ReadAsync(CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT u.name, u.cluster_id, u.feed_epoch, {UpstreamPositions.Columns}, counted.files, counted.kept
            FROM filetransfer.upstreams u JOIN filetransfer.upstream_bins b ON b.upstream = u.name
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE f.kept_since IS NULL) AS files, count(*) FILTER (WHERE f.kept_since IS NOT NULL) AS kept
                FROM filetransfer.upstream_files f WHERE f.upstream = u.name
            ) counted
            ORDER BY u.name, b.bin
            """;
        var rows = await database.QueryAsync<Row>(sql, null, cancellationToken);
        if (rows.Count == 0)
        {
            return new Dictionary<string, UpstreamCounts>();
        }

        var lacking = await LackingAsync(cancellationToken);
        return rows.GroupBy(row => (row.Name, row.ClusterId, row.FeedEpoch, row.Files, row.Kept))
            .ToDictionary(
                bins => bins.Key.Name,
                bins => new UpstreamCounts(
                    bins.Key.ClusterId,
                    bins.Key.FeedEpoch,
                    bins.Key.Files,
                    lacking.GetValueOrDefault(bins.Key.Name),
                    bins.Key.Kept,
                    [.. bins.Select(bin => bin.Position)]
                )
            );
    }

    /// <summary>How many files are kept of which upstreams; counted no further than to <see cref="MostCounted"/>.</summary>
    public Task<IReadOnlyList<(string Upstream, long Count)>> KeptAsync(CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT kept.upstream, count(*)
            FROM (SELECT upstream FROM filetransfer.upstream_files WHERE kept_since IS NOT NULL LIMIT {MostCounted}) kept
            GROUP BY kept.upstream
            """;
        return database.QueryAsync<(string, long)>(sql, null, cancellationToken);
    }

    /// <summary>How many files each upstream claims whose content this node wants and has not stored.</summary>
    public async Task<IReadOnlyDictionary<string, long>> LackingAsync(CancellationToken cancellationToken)
    {
        // What the node has yet to read of its own feed is not in its queue yet.
        var sql = $"""
            SELECT f.upstream, count(*) FROM ({ReplicaTable.LackingSql} UNION {SharedFeed.UnreadAdds}) lacking JOIN filetransfer.upstream_files f USING (file_key)
            WHERE f.claims AND f.kept_since IS NULL GROUP BY f.upstream
            """;
        var rows = await database.QueryAsync<(string Upstream, long Count)>(sql, new { node }, cancellationToken);
        return rows.ToDictionary(row => row.Upstream, row => row.Count);
    }

    private sealed record Row(
        string Name,
        string ClusterId,
        Guid FeedEpoch,
        short Bin,
        long Sealed,
        long? GapUntil,
        long Newest,
        long Applied,
        bool CompareDue,
        long Files,
        long Kept
    )
    {
        public UpstreamPosition Position => new(Bin, Sealed, GapUntil, Newest, Applied, CompareDue);
    }
}
