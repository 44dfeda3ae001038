using FileTransfer.Cluster;

namespace FileTransfer.Feed;

/// <summary>The feed of nodes that share a database: they read what the leader appends where it appends it.</summary>
public sealed class SharedFeed(Database database, Leadership leadership, NodeId node) : IFeedSource
{
    private const int PageSize = 500;

    private const string Grown = """
        filetransfer.bins b LEFT JOIN filetransfer.feed_positions p ON p.bin = b.bin AND p.node_id = @node
        WHERE b.head > coalesce(p.sequence, 0)
        """;

    /// <summary>SQL: a bin has grown beyond the position of <c>@node</c>.</summary>
    internal const string HasGrown = $"EXISTS (SELECT FROM {Grown})";

    public Task<IReadOnlyList<BinGrowth>> FindGrownAsync(CancellationToken cancellationToken)
    {
        const string sql = $"SELECT b.bin, coalesce(p.sequence, 0) AS position, b.head FROM {Grown} ORDER BY b.bin";
        return database.QueryAsync<BinGrowth>(sql, new { node }, cancellationToken);
    }

    public async Task<FeedPage> ReadAsync(short bin, long after, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT sequence, kind, file_key FROM filetransfer.mutations
            WHERE bin = @bin AND sequence > @after
            ORDER BY sequence LIMIT @limit
            """;
        var parameters = new
        {
            bin,
            after,
            limit = PageSize,
        };
        var rows = await database.QueryAsync<(long Sequence, MutationKind Kind, FileKey Key)>(sql, parameters, cancellationToken);
        var epoch = leadership.Sight?.FeedEpoch ?? Guid.Empty;
        return new FeedPage(epoch, bin, after, [.. rows.Select(row => new Mutation(bin, row.Sequence, row.Kind, row.Key))]);
    }
}
