namespace FileTransfer.Catalog.Replicas;

/// <summary>Where one replica stands in its node's queue, for a person who wonders.</summary>
/// <param name="Now">The clock of the database, which the replica's times are of.</param>
/// <param name="IsPinned">It was registered or uploaded at this node, so no policy has a say in it.</param>
/// <param name="IsHeld">While it downloads: whether its holder's backend has its advisory lock.</param>
/// <param name="Ahead">While it is ready: how many are claimed before it; more than <see cref="MostCounted"/> are not counted.</param>
/// <param name="Loads">The names of those that run here and want the file; null where none does.</param>
public sealed record ReplicaDiagnostics(
    DateTimeOffset Now,
    bool PolicyWants,
    DateTimeOffset? WantedAt,
    bool IsPinned,
    int? HolderPid,
    bool? IsHeld,
    int? Ahead,
    string? Loads
)
{
    public const int MostCounted = 1000;
}

/// <content>Answers to "why is it not here".</content>
public sealed partial class ReplicaTable
{
    /// <returns>Null when there is no such file. What only a replica has is null where there is none.</returns>
    public Task<ReplicaDiagnostics?> DiagnoseAsync(NodeId node, FileKey key, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT clock_timestamp() AS now,
                filetransfer.policy_wants(@node, f.bucket, f.location) AS policy_wants,
                r.wanted_at,
                coalesce(r.pinned, false) AS is_pinned,
                r.holder_pid,
                CASE WHEN r.state = 'downloading' THEN {ReplicaSql.IsHeld} END AS is_held,
                CASE WHEN {ReplicaSql.IsReady} THEN (
                    SELECT count(*) FROM (
                        SELECT FROM filetransfer.replicas q
                        WHERE q.node_id = @node AND q.state = 'wanted' AND q.next_attempt_at IS NULL
                          AND (q.priority > r.priority OR (q.priority = r.priority AND q.wanted_at < r.wanted_at))
                        LIMIT @most + 1
                    ) before
                )::integer END AS ahead,
                {DesiredState.LoadsSql} AS loads
            FROM filetransfer.files f
            LEFT JOIN filetransfer.replicas r ON r.node_id = @node AND r.file_key = f.file_key
            WHERE f.file_key = @key
            """;
        var parameters = new
        {
            node,
            key,
            most = ReplicaDiagnostics.MostCounted,
        };
        return database.QuerySingleOrDefaultAsync<ReplicaDiagnostics>(sql, parameters, cancellationToken);
    }
}
