using FileTransfer.Catalog.Providers;

namespace FileTransfer.Catalog.Replicas;

/// <content>What a person puts first, and what is to be elsewhere before a node goes.</content>
public sealed partial class ReplicaTransitions
{
    /// <summary>Stored at <c>@node</c>, and too seldom at other nodes that are alive and are not emptied themselves; with how many are short.</summary>
    private const string ScarceSql = $"""
        WITH others AS MATERIALIZED (
            SELECT node_id FROM filetransfer.nodes n WHERE node_id <> @node AND evacuating_since IS NULL AND {NodeLiveness.IsHeardOf}
        ), scarce AS MATERIALIZED (
            SELECT * FROM (
                SELECT f.file_key, {BucketCopies.FloorSql} - (
                    SELECT count(*) FROM filetransfer.replicas o JOIN others USING (node_id)
                    WHERE o.file_key = f.file_key AND o.state = 'stored'
                ) AS short, {BucketCopies.FloorSql} - (
                    SELECT count(*) FROM filetransfer.replicas o JOIN others USING (node_id)
                    WHERE o.file_key = f.file_key AND o.state <> 'removing'
                ) AS unwanted
                FROM filetransfer.replicas r JOIN filetransfer.files f USING (file_key)
                WHERE r.node_id = @node AND r.state = 'stored' AND f.state <> 'removed'
            ) counted WHERE short > 0
        )
        """;

    /// <summary>The highest that a person gives; those of loads that run lie above, and stay as they are.</summary>
    public const int HighestPriority = 100;

    private const string OfScope = """
        r.node_id = @node AND r.priority <= @highest AND r.state IN ('wanted', 'downloading', 'failed', 'paused')
        AND (r.file_key = @file OR r.file_key IN (SELECT f.file_key FROM filetransfer.files f WHERE f.bucket = @bucket))
        """;

    /// <summary>What is not here yet of a file, or of a bucket and whatever is added to it, comes before what has a lower priority.</summary>
    /// <returns>Files that wait, or are under way.</returns>
    public async Task<long> PrioritizeAsync(
        NodeId node,
        ByteString? bucket,
        FileKey? file,
        int priority,
        bool changes,
        CancellationToken cancellationToken
    )
    {
        const string keep = """
            INSERT INTO filetransfer.bucket_priorities (node_id, bucket, priority) SELECT @node, @bucket::bytea, @priority WHERE @bucket IS NOT NULL
            ON CONFLICT (node_id, bucket) DO UPDATE SET priority = EXCLUDED.priority
            """;
        var parameters = new
        {
            node,
            bucket,
            file,
            priority = (short)priority,
            highest = HighestPriority,
        };
        var sql = changes
            ? $"WITH kept AS ({keep}), put AS (UPDATE filetransfer.replicas r SET priority = @priority WHERE {OfScope} RETURNING 1) SELECT count(*) FROM put"
            : $"SELECT count(*) FROM filetransfer.replicas r WHERE {OfScope}";
        return await Deadlocks.RetryAsync(() =>
            database.WithConnectionAsync(
                connection =>
                    connection.QuerySingleAsync<long>(
                        new CommandDefinition(
                            sql,
                            parameters,
                            commandTimeout: _longPatience,
                            cancellationToken: cancellationToken
                        )
                    ),
                cancellationToken
            )
        );
    }

    /// <summary>All priorities of buckets at a node that is taken out of the cluster.</summary>
    private static Task<int> ForgetPrioritiesAsync(
        NpgsqlConnection connection,
        NodeId node,
        CancellationToken cancellationToken
    ) =>
        connection.ExecuteAsync(
            "DELETE FROM filetransfer.bucket_priorities WHERE node_id = @node",
            new { node },
            cancellationToken
        );

    /// <summary>Files at <paramref name="node"/> of which too few copies are elsewhere; and how many of these nobody else is about to get.</summary>
    public Task<(long Scarce, long Unwanted)> CountScarceAsync(NodeId node, CancellationToken cancellationToken) =>
        ScarceAsync<(long, long)>(
            $"{ScarceSql} SELECT count(*), count(*) FILTER (WHERE unwanted > 0) FROM scarce",
            node,
            cancellationToken
        );

    /// <summary>Makes other nodes want what is at <paramref name="node"/> and too seldom elsewhere, whatever their policies say.</summary>
    /// <returns>How many replicas became wanted.</returns>
    public Task<long> WantScarceElsewhereAsync(NodeId node, CancellationToken cancellationToken)
    {
        const string sql = $"""
            {ScarceSql}, wanted AS (
                INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, pinned)
                SELECT chosen.node_id, s.file_key, 'wanted', true
                FROM scarce s CROSS JOIN LATERAL (
                    SELECT node_id FROM others WHERE NOT EXISTS (
                        SELECT FROM filetransfer.replicas o
                        WHERE o.node_id = others.node_id AND o.file_key = s.file_key AND o.state <> 'removing'
                    ) ORDER BY random() LIMIT greatest(s.unwanted, 0)
                ) chosen
                ON CONFLICT (node_id, file_key) DO UPDATE SET state = 'wanted', pinned = true, reason = NULL, {ReplicaSql.WantedAnew}
                    WHERE r.state = 'removing'
                RETURNING 1
            )
            SELECT count(*) FROM wanted
            """;
        return Deadlocks.RetryAsync(() => ScarceAsync<long>(sql, node, cancellationToken));
    }

    private Task<T> ScarceAsync<T>(string sql, NodeId node, CancellationToken cancellationToken) =>
        database.WithConnectionAsync(
            connection =>
                connection.QuerySingleAsync<T>(
                    new CommandDefinition(sql, new { node }, commandTimeout: _longPatience, cancellationToken: cancellationToken)
                ),
            cancellationToken
        );
}
