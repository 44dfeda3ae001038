namespace FileTransfer.Catalog.Replicas;

/// <summary>A replica that its node has given up.</summary>
/// <param name="At">By the clock of the database.</param>
public sealed record ReplicaFailure(
    string Node,
    DateTimeOffset At,
    FileKey Key,
    ByteString Bucket,
    ByteString Location,
    string? Reason
);

/// <content>What is told of replicas to who follows the whole cluster.</content>
public sealed partial class ReplicaTable
{
    /// <summary>Failures are told in the order of their times, which they have before they are committed; none takes so long to be.</summary>
    private static readonly TimeSpan _settled = TimeSpan.FromSeconds(2);

    /// <summary>The nodes that lack files that they want; what has failed does not count.</summary>
    public async Task<IReadOnlyList<string>> LackingNodesAsync(CancellationToken cancellationToken)
    {
        // One question for each index.
        const string sql = """
            SELECT n.node_id FROM filetransfer.nodes n
            WHERE coalesce(
                (SELECT true FROM filetransfer.replicas r WHERE r.node_id = n.node_id AND state = 'downloading' LIMIT 1),
                (SELECT true FROM filetransfer.replicas r WHERE r.node_id = n.node_id AND state = 'wanted' AND next_attempt_at IS NULL LIMIT 1),
                (SELECT true FROM filetransfer.replicas r WHERE r.node_id = n.node_id AND state = 'wanted' AND next_attempt_at IS NOT NULL LIMIT 1),
                false
            )
            """;
        return await database.QueryAsync<string>(sql, null, cancellationToken);
    }

    /// <summary>Replicas of all nodes that have failed since, the oldest first.</summary>
    /// <param name="at">With <paramref name="node"/> and <paramref name="key"/>: the last one that is known.</param>
    public async Task<IReadOnlyList<ReplicaFailure>> FailuresAfterAsync(
        DateTimeOffset at,
        string node,
        FileKey? key,
        int most,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT r.node_id, r.changed_at, r.file_key, f.bucket, f.location, r.reason FROM filetransfer.nodes n
            CROSS JOIN LATERAL (
                SELECT * FROM filetransfer.replicas
                WHERE node_id = n.node_id AND state = 'failed' AND changed_at >= @at
                  AND changed_at < clock_timestamp() - @settled AND (changed_at, node_id, file_key) > (@at, @node, @key)
                ORDER BY changed_at, file_key LIMIT @most
            ) r JOIN filetransfer.files f USING (file_key)
            ORDER BY r.changed_at, r.node_id, r.file_key LIMIT @most
            """;
        var rows = await database.QueryAsync<(
            string Node,
            DateTimeOffset At,
            FileKey Key,
            ByteString Bucket,
            ByteString Location,
            string? Reason
        )>(
            sql,
            new
            {
                at,
                node,
                key = key?.ToArray() ?? [],
                settled = _settled,
                most,
            },
            cancellationToken
        );
        return [.. rows.Select(row => new ReplicaFailure(row.Node, row.At, row.Key, row.Bucket, row.Location, row.Reason))];
    }
}
