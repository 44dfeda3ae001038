namespace FileTransfer.Catalog.Replicas;

/// <summary>How many replicas of a node are in each state. Contents of removed files that are only kept for a while are nothing to be done.</summary>
public sealed record ReplicaCounts(NodeId Node, ReplicaState State, long Count);

/// <param name="AreEstimated">
/// There are too many to be counted: what is stored is told from a part of them, and so are states of which there are tens of thousands. Other
/// counts are exact, and nothing is told as none of which there is one.
/// </param>
public sealed record ReplicaTally(IReadOnlyList<ReplicaCounts> Counts, bool AreEstimated);

/// <summary>The replicas of a node that have failed: how many, since when, and the latest of them.</summary>
/// <param name="Count">One more than <see cref="MostCounted"/> stands for all above.</param>
public sealed record FailedReplicas(long Count, DateTimeOffset Since, FileKey Latest, string? LatestReason)
{
    public const int MostCounted = 10_000;
}

/// <content>How many there are.</content>
public sealed partial class ReplicaTable
{
    /// <summary>Pages of the table that are counted; of a larger one, so many of them.</summary>
    private const int PagesCounted = 2048;

    /// <summary>What one index has of replicas that are not stored is counted up to here.</summary>
    private const int MostCounted = 10_000;

    private const string Removing = ReplicaSql.IsRemoving;

    /// <summary>The index of each part of what is not stored: its condition, and its order, without which the server may read the table.</summary>
    private static readonly (string Condition, string Order)[] _parts =
    [
        (ReplicaSql.IsReady, "node_id, priority DESC, wanted_at"),
        (ReplicaSql.Waits, "node_id, next_attempt_at"),
        (ReplicaSql.WaitsForProvider, "node_id, next_attempt_at"),
        ("r.state = 'downloading'", "node_id"),
        (Removing, "node_id, changed_at"),
        ("r.state = 'failed'", "node_id, changed_at"),
        ("r.state = 'paused'", "node_id, changed_at"),
    ];

    /// <summary>The files that are to be at <c>@node</c> and are not, along indexes that hold nothing else.</summary>
    internal static readonly string LackingSql = string.Join(
        " UNION ALL ",
        _parts
            .Where(part => part.Condition != Removing)
            .Select(part => $"SELECT file_key FROM filetransfer.replicas r WHERE node_id = @node AND {part.Condition}")
    );

    /// <summary>How many replicas each node has in each state, at the same price however many there are.</summary>
    public Task<ReplicaTally> CountAsync(CancellationToken cancellationToken) => CountAsync(PagesCounted, cancellationToken);

    /// <inheritdoc cref="CountAsync(CancellationToken)"/>
    internal async Task<ReplicaTally> CountAsync(int pages, CancellationToken cancellationToken)
    {
        const string share = """
            SELECT least(100, 100.0 * @pages * current_setting('block_size')::integer / greatest(1, pg_relation_size('filetransfer.replicas')))::real
            """;
        // The same pages each time, so that the figures do not jump while nothing happens.
        const string sample = $"""
            SELECT node_id AS node, state, (count(*) * 100 / @percent)::bigint AS count
            FROM filetransfer.replicas r TABLESAMPLE SYSTEM (@percent) REPEATABLE (0)
            WHERE ({ReplicaSql.IsInTrash}) IS NOT TRUE GROUP BY node_id, state
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var percent = await connection.QuerySingleAsync<float>(share, new { pages }, cancellationToken);
        var sampled = (await connection.QueryAsync<ReplicaCounts>(sample, new { percent }, cancellationToken)).AsList();
        if (percent >= 100)
        {
            return new ReplicaTally(sampled, AreEstimated: false);
        }

        var (others, areAll) = await CountOthersAsync(connection, cancellationToken);
        var stored = sampled.Where(count => count.State == ReplicaState.Stored);
        var more = areAll ? [] : sampled.Where(count => count.State != ReplicaState.Stored);
        return new ReplicaTally(
            [
                .. stored,
                .. others
                    .Concat(more)
                    .GroupBy(count => (count.Node, count.State))
                    .Select(known => known.MaxBy(count => count.Count)!),
            ],
            AreEstimated: true
        );
    }

    /// <summary>What is not stored, and whether that is all of it.</summary>
    private static async Task<(IReadOnlyList<ReplicaCounts> Counts, bool AreAll)> CountOthersAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var parts = _parts.Select(part =>
            $"""
                SELECT node_id, state, count(*) AS counted, sum(count(*)) OVER () < @most AS is_all
                FROM (SELECT node_id, state FROM filetransfer.replicas r WHERE {part.Condition} ORDER BY {part.Order} LIMIT @most) first
                GROUP BY node_id, state
                """
        );
        var sql = $"""
            SELECT node_id, state, sum(counted)::bigint, bool_and(is_all) FROM ({string.Join(
                "\nUNION ALL\n",
                parts
            )}) counted_parts
            GROUP BY node_id, state
            """;
        var rows = (
            await connection.QueryAsync<(NodeId Node, ReplicaState State, long Count, bool IsAll)>(
                sql,
                new { most = MostCounted },
                cancellationToken
            )
        ).AsList();
        return ([.. rows.Select(row => new ReplicaCounts(row.Node, row.State, row.Count))], rows.TrueForAll(row => row.IsAll));
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
