namespace FileTransfer.Catalog.Replicas;

/// <content>Wanted: because somebody named the file, asks for it, or because of a policy. The caller has locked the file's row.</content>
public sealed partial class ReplicaTransitions
{
    /// <summary>Why a replica waits whose file's content nobody has yet.</summary>
    public const string WaitsForUpload = "waits for its upload";

    /// <summary>Somebody waits for it: before what a policy wants.</summary>
    private const short IntentPriority = 1;

    /// <summary>
    /// Wants the file at <paramref name="node"/>, where somebody named it: also one that is being removed, and one that has failed. Any other
    /// replica only becomes one that is pinned, which no policy withdraws.
    /// </summary>
    /// <param name="waitsForUpload">Nobody has its content yet; else the download may start at once.</param>
    public static Task WantAsync(
        NpgsqlConnection connection,
        NodeId node,
        FileKey key,
        bool waitsForUpload,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, pinned, next_attempt_at, waits_for, reason)
            VALUES (
                @node, @key, 'wanted', true, CASE WHEN @waitsForUpload THEN 'infinity'::timestamptz END,
                CASE WHEN @waitsForUpload THEN 'upload' END, CASE WHEN @waitsForUpload THEN '{WaitsForUpload}' END
            )
            ON CONFLICT (node_id, file_key) DO UPDATE
                SET state = 'wanted', pinned = true, epoch = r.epoch + 1, attempts = 0, bytes_proven = 0, holder = NULL, holder_pid = NULL,
                    next_attempt_at = EXCLUDED.next_attempt_at, waits_for = EXCLUDED.waits_for, reason = EXCLUDED.reason,
                    wanted_at = clock_timestamp(), changed_at = clock_timestamp()
                WHERE r.state IN ('removing', 'failed');
            UPDATE filetransfer.replicas SET pinned = true WHERE node_id = @node AND file_key = @key AND NOT pinned
            """;
        var parameters = new
        {
            node,
            key,
            waitsForUpload,
        };
        return connection.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>
    /// Wants the file at <paramref name="node"/> before others: also one that is being given up, one that has failed and one that backs off,
    /// for somebody asks. A replica under way, stored, paused or waiting for its upload stays as it is.
    /// </summary>
    /// <returns>Whether it was not wanted before.</returns>
    internal static Task<bool> WantForIntentAsync(
        NpgsqlConnection connection,
        NodeId node,
        FileKey key,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            WITH before AS (
                SELECT state FROM filetransfer.replicas WHERE node_id = @node AND file_key = @key
            ), wanted AS (
                INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, priority) VALUES (@node, @key, 'wanted', @priority)
                ON CONFLICT (node_id, file_key) DO UPDATE
                    SET state = 'wanted', priority = greatest(r.priority, EXCLUDED.priority), attempts = 0, next_attempt_at = NULL, reason = NULL,
                        epoch = r.epoch + CASE WHEN r.state = 'wanted' THEN 0 ELSE 1 END,
                        bytes_proven = CASE WHEN r.state = 'removing' THEN 0 ELSE r.bytes_proven END,
                        holder = NULL, holder_pid = NULL, changed_at = clock_timestamp(),
                        wanted_at = CASE WHEN r.state = 'wanted' THEN r.wanted_at ELSE clock_timestamp() END
                    WHERE r.state IN ('removing', 'failed')
                       OR (r.state = 'wanted' AND (r.next_attempt_at IS NULL OR r.waits_for IS DISTINCT FROM 'upload'))
                RETURNING 1
            )
            SELECT EXISTS (SELECT FROM wanted) AND NOT EXISTS (SELECT FROM before WHERE state = 'wanted')
            """;
        var parameters = new
        {
            node,
            key,
            priority = IntentPriority,
        };
        return connection.QuerySingleAsync<bool>(sql, parameters, cancellationToken);
    }

    /// <summary>A policy may withdraw the file where it is not stored, although somebody named it.</summary>
    internal static Task UnpinAsync(NpgsqlConnection connection, NodeId node, FileKey key, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            $"UPDATE filetransfer.replicas r SET pinned = false WHERE node_id = @node AND file_key = @key AND {ReplicaSql.IsLacking}",
            new { node, key },
            cancellationToken
        );

    /// <summary>No intent asks for the file any more: it comes after what others ask for.</summary>
    internal static Task ClearIntentPriorityAsync(
        NpgsqlConnection connection,
        NodeId node,
        FileKey key,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            UPDATE filetransfer.replicas SET priority = 0
            WHERE node_id = @node AND file_key = @key AND state IN ('wanted', 'downloading') AND priority = @priority
            """;
        var parameters = new
        {
            node,
            key,
            priority = IntentPriority,
        };
        return connection.ExecuteAsync(sql, parameters, cancellationToken);
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
                    SELECT file_key, bucket, location FROM filetransfer.files
                    WHERE file_key = ANY(@keys) AND state = 'added'
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
