namespace FileTransfer.Catalog.Replicas;

/// <summary>How many replicas of a node are in one part of its queue.</summary>
/// <param name="State">What they wait for: <c>ready</c>, <c>waiting</c>, <c>unprovided</c>, <c>downloading</c>, <c>removing</c>, <c>failed</c>, <c>paused</c>.</param>
/// <param name="Count">No more than <see cref="MostCounted"/>.</param>
/// <param name="OldestSeconds">Since when the first of those that were counted has been wanted; 0 where it is to go.</param>
public sealed record QueueDepth(string State, long Count, long OldestSeconds)
{
    public const int MostCounted = 100_000;
}

/// <content>The queue of one node, in numbers.</content>
public sealed partial class ReplicaTable
{
    private static readonly string[] _partNames =
    [
        "ready",
        "waiting",
        "unprovided",
        "downloading",
        "removing",
        "failed",
        "paused",
    ];

    private static string QueueSql() =>
        string.Join(
            " UNION ALL ",
            _parts.Zip(
                _partNames,
                (part, name) =>
                    $"""
                    SELECT '{name}' AS state, count(*) AS count,
                        coalesce(extract(epoch FROM clock_timestamp() - min(wanted_at) FILTER (WHERE isfinite(wanted_at))), 0)::bigint AS oldest_seconds
                    FROM (
                        SELECT {(
                        part.Condition == Removing ? "NULL::timestamptz AS wanted_at" : "wanted_at"
                    )} FROM filetransfer.replicas r
                        WHERE node_id = @node AND {part.Condition} ORDER BY {part.Order} LIMIT @most
                    ) counted
                    """
            )
        );

    /// <summary>How many replicas of a node wait for what, along indexes that hold nothing else.</summary>
    public Task<IReadOnlyList<QueueDepth>> QueueAsync(NodeId node, CancellationToken cancellationToken) =>
        database.QueryAsync<QueueDepth>(QueueSql(), new { node, most = QueueDepth.MostCounted }, cancellationToken);
}
