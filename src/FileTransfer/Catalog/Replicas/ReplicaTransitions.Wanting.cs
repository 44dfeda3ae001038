namespace FileTransfer.Catalog.Replicas;

/// <content>Wanted: because somebody named the file, asks for it, or because of a policy. The caller has locked the file's row.</content>
public sealed partial class ReplicaTransitions
{
    /// <summary>Why a replica waits whose file's content nobody has yet.</summary>
    public const string WaitsForUpload = "waits for its upload";

    /// <summary>Somebody waits for it: before what a policy wants.</summary>
    internal const short IntentPriority = 1;

    /// <summary>
    /// Wants files at <paramref name="node"/>, where somebody named them: also such as are being removed, and such as have failed. Any other
    /// replica only becomes one that is pinned, which no policy withdraws.
    /// </summary>
    /// <param name="waitsForUpload">Nobody has their contents yet; else the downloads may start at once.</param>
    /// <returns>Those that were not here, and are wanted now.</returns>
    public static Task<IEnumerable<FileKey>> WantAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        bool waitsForUpload,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            UPDATE filetransfer.replicas SET pinned = true WHERE node_id = @node AND file_key = ANY(@keys) AND NOT pinned;
            INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, pinned, next_attempt_at, waits_for, reason)
            SELECT @node, file_key, 'wanted', true, CASE WHEN @waitsForUpload THEN 'infinity'::timestamptz END,
                CASE WHEN @waitsForUpload THEN 'upload' END, CASE WHEN @waitsForUpload THEN '{WaitsForUpload}' END
            FROM unnest(@keys) AS named (file_key) ORDER BY file_key
            ON CONFLICT (node_id, file_key) DO UPDATE
                SET state = 'wanted', pinned = true, epoch = r.epoch + 1, attempts = 0, bytes_proven = 0, holder = NULL, holder_pid = NULL,
                    next_attempt_at = EXCLUDED.next_attempt_at, waits_for = EXCLUDED.waits_for, reason = EXCLUDED.reason,
                    wanted_at = clock_timestamp(), changed_at = clock_timestamp()
                WHERE r.state IN ('removing', 'failed')
            RETURNING file_key
            """;
        var parameters = new
        {
            node,
            keys = keys.ToParameter(),
            waitsForUpload,
        };
        return connection.QueryAsync<FileKey>(sql, parameters, cancellationToken);
    }

    /// <summary>
    /// Wants files at <paramref name="node"/> before others: also those that are being given up, that have failed and that back off, for
    /// somebody asks. A replica under way, stored, paused or waiting for its upload only gets the priority, where it is the higher one.
    /// </summary>
    /// <returns>Those that were not wanted before.</returns>
    internal static async Task<IReadOnlyList<FileKey>> WantAskedAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        short priority,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            WITH before AS (
                SELECT file_key FROM filetransfer.replicas WHERE node_id = @node AND file_key = ANY(@keys) AND state = 'wanted'
            ), wanted AS (
                INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, priority)
                SELECT @node, file_key, 'wanted', @priority FROM (SELECT DISTINCT unnest(@keys)) AS k (file_key) ORDER BY file_key
                ON CONFLICT (node_id, file_key) DO UPDATE
                    SET state = 'wanted', priority = greatest(r.priority, EXCLUDED.priority), attempts = 0, next_attempt_at = NULL, reason = NULL,
                        epoch = r.epoch + CASE WHEN r.state = 'wanted' THEN 0 ELSE 1 END,
                        bytes_proven = CASE WHEN r.state = 'removing' THEN 0 ELSE r.bytes_proven END,
                        holder = NULL, holder_pid = NULL, changed_at = clock_timestamp(),
                        wanted_at = CASE WHEN r.state = 'wanted' THEN r.wanted_at ELSE clock_timestamp() END
                    WHERE r.state IN ('removing', 'failed')
                       OR (r.state = 'wanted' AND (r.next_attempt_at IS NULL OR r.waits_for IS DISTINCT FROM 'upload'))
                RETURNING r.file_key
            ), raised AS (
                UPDATE filetransfer.replicas r SET priority = @priority
                WHERE r.node_id = @node AND r.file_key = ANY(@keys) AND r.priority < @priority
                  AND (
                      r.state IN ('downloading', 'paused')
                      OR (r.state = 'wanted' AND r.next_attempt_at IS NOT NULL AND r.waits_for = 'upload')
                  )
            )
            SELECT file_key FROM wanted EXCEPT SELECT file_key FROM before
            """;
        var parameters = new
        {
            node,
            keys = keys.ToParameter(),
            priority,
        };
        return [.. await connection.QueryAsync<FileKey>(sql, parameters, cancellationToken)];
    }

    /// <summary>A policy may withdraw the file where it is not stored, although somebody named it.</summary>
    internal static Task UnpinAsync(NpgsqlConnection connection, NodeId node, FileKey key, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            $"UPDATE filetransfer.replicas r SET pinned = false WHERE node_id = @node AND file_key = @key AND {ReplicaSql.IsLacking}",
            new { node, key },
            cancellationToken
        );

    /// <summary>Nobody asks for the files with this priority any more: they come after what others ask for. Those of loads that run stay.</summary>
    internal static Task ClearPriorityAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        short priority,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            UPDATE filetransfer.replicas f SET priority = 0
            WHERE f.node_id = @node AND file_key = ANY(@keys) AND state IN ('wanted', 'downloading', 'paused') AND priority = @priority
              AND NOT {DesiredState.IsLoadedSql}
            """;
        var parameters = new
        {
            node,
            keys = keys.ToParameter(),
            priority,
        };
        return connection.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>What is stored stays, whatever the policies say: it was asked for here.</summary>
    internal static Task PinStoredAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            UPDATE filetransfer.replicas SET pinned = true
            WHERE node_id = @node AND file_key = ANY(@keys) AND state = 'stored' AND NOT pinned
            """;
        return connection.ExecuteAsync(sql, new { node, keys = keys.ToParameter() }, cancellationToken);
    }

    /// <summary>
    /// Wants files at <paramref name="node"/>, those that are still added and that its policy, or an intent, wants. Their rows are held
    /// against removal until the transaction ends, so that a Remove sees every replica it has to end; and so are the node's policies.
    /// </summary>
    /// <returns>Those that are wanted now and were not.</returns>
    public static async Task<IReadOnlyList<ReplicaChange>> WantAddedAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            {DesiredState.HoldSql};
            WITH wanted AS (
                INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, priority)
                SELECT @node, f.file_key, 'wanted', {ReplicaSql.PriorityOfBucket}
                FROM (
                    SELECT file_key, bucket, location FROM filetransfer.files f
                    WHERE file_key = ANY(@keys) AND state = 'added' AND NOT EXISTS (
                        SELECT FROM filetransfer.replicas here
                        WHERE here.node_id = @node AND here.file_key = f.file_key AND here.state = 'stored'
                    )
                    ORDER BY file_key FOR SHARE
                ) f
                WHERE {DesiredState.WantsSql}
                ON CONFLICT (node_id, file_key) DO UPDATE SET state = 'wanted', reason = NULL, {ReplicaSql.WantedAnew}
                    WHERE r.state = 'removing' OR (r.state = 'wanted' AND r.waits_for = 'upload' AND r.next_attempt_at IS NOT NULL)
                RETURNING r.file_key
            )
            SELECT w.file_key, f.size FROM wanted w JOIN filetransfer.files f ON f.file_key = w.file_key
            """;
        var parameters = new { node, keys = keys.ToParameter() };
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, parameters, cancellationToken: cancellationToken)
        );
        await answers.ReadAsync<object>();
        var wanted = await answers.ReadAsync<(FileKey Key, long Size)>();
        return [.. wanted.Select(file => new ReplicaChange(file.Key, file.Size))];
    }
}
