namespace FileTransfer.Catalog.Replicas;

/// <summary>How many replicas of a node are in each state.</summary>
public sealed record ReplicaCounts(NodeId Node, ReplicaState State, long Count);

/// <summary>The replicas of a node that have failed: how many, since when, and the latest of them.</summary>
/// <param name="Count">One more than <see cref="MostCounted"/> stands for all above.</param>
public sealed record FailedReplicas(long Count, DateTimeOffset Since, FileKey Latest, string? LatestReason)
{
    public const int MostCounted = 10_000;
}

/// <content>How many there are.</content>
public sealed partial class ReplicaTable
{
    /// <summary>How many replicas are stored, by node: all of them are read.</summary>
    internal Task<IReadOnlyList<ReplicaCounts>> CountStoredAsync(CancellationToken cancellationToken) =>
        CountAsync(["r.state = 'stored'"], cancellationToken);

    /// <summary>How many replicas are not stored, by node and state: along indexes that hold nothing else.</summary>
    internal Task<IReadOnlyList<ReplicaCounts>> CountOthersAsync(CancellationToken cancellationToken) =>
        CountAsync(
            [
                ReplicaSql.IsReady,
                ReplicaSql.Waits,
                ReplicaSql.WaitsForProvider,
                "r.state = 'downloading'",
                "r.state = 'removing'",
                "r.state IN ('failed', 'paused')",
            ],
            cancellationToken
        );

    /// <summary>The files that are to be at <c>@node</c> and are not, along indexes that hold nothing else.</summary>
    internal static readonly string LackingSql = string.Join(
        " UNION ALL ",
        new[]
        {
            ReplicaSql.IsReady,
            ReplicaSql.Waits,
            ReplicaSql.WaitsForProvider,
            "r.state = 'downloading'",
            "r.state IN ('failed', 'paused')",
        }.Select(part => $"SELECT file_key FROM filetransfer.replicas r WHERE node_id = @node AND {part}")
    );

    /// <param name="parts">The condition of one index each.</param>
    private Task<IReadOnlyList<ReplicaCounts>> CountAsync(string[] parts, CancellationToken cancellationToken)
    {
        var counts = parts.Select(part =>
            $"SELECT node_id, state, count(*) AS counted FROM filetransfer.replicas r WHERE {part} GROUP BY node_id, state"
        );
        var sql = $"""
            SELECT node_id AS node, state, sum(counted)::bigint AS count FROM ({string.Join(" UNION ALL ", counts)}) AS of_states
            GROUP BY node_id, state
            """;
        return database.QueryAsync<ReplicaCounts>(sql, null, cancellationToken);
    }

    /// <summary>What has failed at a node; null where nothing has.</summary>
    public Task<FailedReplicas?> FailedAsync(NodeId node, CancellationToken cancellationToken)
    {
        // Counted no further than anybody reads, and along an index that holds nothing else: probes ask this all day.
        const string sql = """
            SELECT (SELECT count(*) FROM (
                        SELECT FROM filetransfer.replicas WHERE node_id = @node AND state = 'failed' LIMIT @most + 1) AS counted) AS count,
                   (SELECT min(changed_at) FROM filetransfer.replicas WHERE node_id = @node AND state = 'failed') AS since,
                   l.file_key AS latest, l.reason AS latest_reason
            FROM (
                SELECT file_key, reason FROM filetransfer.replicas
                WHERE node_id = @node AND state = 'failed' ORDER BY changed_at DESC LIMIT 1
            ) AS l
            """;
        return database.QuerySingleOrDefaultAsync<FailedReplicas>(
            sql,
            new { node, most = FailedReplicas.MostCounted },
            cancellationToken
        );
    }
}
