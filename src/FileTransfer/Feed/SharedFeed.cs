using FileTransfer.Cluster;

namespace FileTransfer.Feed;

/// <summary>The feed of nodes that share a database: they read what the leader appends where it appends it.</summary>
public sealed class SharedFeed(Database database, Leadership leadership, NodeId node) : IFeedSource
{
    /// <summary>Mutations of one bin that are read at once.</summary>
    private const int PageSize = 500;

    private const string Grown = "b.head > coalesce(p.sequence, 0)";

    private const string Bins =
        "filetransfer.bins b LEFT JOIN filetransfer.feed_positions p ON p.bin = b.bin AND p.node_id = @node";

    /// <summary>SQL: a bin has grown beyond the position of <c>@node</c>.</summary>
    internal const string HasGrown = $"EXISTS (SELECT FROM {Bins} WHERE {Grown})";

    /// <summary>SQL: the files whose Adds are beyond the position of <c>@node</c>.</summary>
    internal const string UnreadAdds =
        $"SELECT m.file_key FROM {Bins} JOIN filetransfer.mutations m ON m.bin = b.bin AND m.sequence > coalesce(p.sequence, 0) WHERE {Grown} AND m.kind = 'add'";

    public async Task<IReadOnlyList<FeedPage>> ReadAsync(CancellationToken cancellationToken)
    {
        // A bin that has grown and shows no mutation is a gap: its row stays.
        const string sql = $"""
            SELECT b.bin, coalesce(p.sequence, 0) AS position, b.head, b.retained_from, m.sequence, m.kind, m.file_key AS key
            FROM {Bins}
            LEFT JOIN LATERAL (
                SELECT sequence, kind, file_key FROM filetransfer.mutations
                WHERE bin = b.bin AND sequence > coalesce(p.sequence, 0)
                ORDER BY sequence LIMIT @limit
            ) m ON true
            WHERE {Grown}
            ORDER BY b.bin, m.sequence
            """;
        var rows = await database.QueryAsync<Row>(sql, new { node, limit = PageSize }, cancellationToken);
        var epoch = leadership.Sight?.FeedEpoch ?? Guid.Empty;
        return
        [
            .. rows.GroupBy(row => (row.Bin, row.Position, row.Head, row.RetainedFrom))
                .Select(bin => new FeedPage(epoch, bin.Key.Bin, bin.Key.Position, [.. Mutations(bin)])
                {
                    Head = bin.Key.Head,
                    RetainedFrom = bin.Key.RetainedFrom,
                }),
        ];
    }

    private static IEnumerable<Mutation> Mutations(IEnumerable<Row> rows) =>
        rows.Where(row => row.Sequence is not null)
            .Select(row => new Mutation(row.Bin, row.Sequence!.Value, row.Kind!.Value, row.Key!.Value));

    private sealed record Row(
        short Bin,
        long Position,
        long Head,
        long RetainedFrom,
        long? Sequence,
        MutationKind? Kind,
        FileKey? Key
    );
}
