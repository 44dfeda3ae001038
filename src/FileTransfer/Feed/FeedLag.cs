namespace FileTransfer.Feed;

/// <summary>How many mutations each node has not brought into its queue yet.</summary>
public sealed class FeedLag(Database database)
{
    /// <summary>SQL: that of <c>@node</c>.</summary>
    internal const string OfNodeSql = """
        SELECT sum(b.head - coalesce(p.sequence, 0))::bigint
        FROM filetransfer.bins b LEFT JOIN filetransfer.feed_positions p ON p.node_id = @node AND p.bin = b.bin
        """;

    public async Task<IReadOnlyDictionary<NodeId, long>> OfNodesAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT n.node_id, sum(b.head - coalesce(p.sequence, 0))::bigint
            FROM filetransfer.nodes n CROSS JOIN filetransfer.bins b
            LEFT JOIN filetransfer.feed_positions p ON p.node_id = n.node_id AND p.bin = b.bin
            GROUP BY n.node_id
            """;
        var rows = await database.QueryAsync<(NodeId Node, long Lag)>(sql, null, cancellationToken);
        return rows.ToDictionary(row => row.Node, row => row.Lag);
    }

    public Task<long> OfNodeAsync(NodeId node, CancellationToken cancellationToken) =>
        database.QuerySingleAsync<long>(OfNodeSql, new { node }, cancellationToken);

    /// <summary>How many mutations of a bin the node has not brought into its queue yet.</summary>
    public Task<long> OfBinAsync(NodeId node, int bin, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT b.head - coalesce(p.sequence, 0)
            FROM filetransfer.bins b LEFT JOIN filetransfer.feed_positions p ON p.node_id = @node AND p.bin = b.bin
            WHERE b.bin = @bin
            """;
        return database.QuerySingleAsync<long>(sql, new { node, bin = (short)bin }, cancellationToken);
    }
}
