namespace FileTransfer.Catalog.Replicas;

/// <content>Replicas whose attempts failed, tried again: because a person asks, or because a trial of one of them went well.</content>
public sealed partial class ReplicaTransitions
{
    private const string Retry = $"""
        UPDATE filetransfer.replicas r
        SET state = 'wanted', epoch = epoch + CASE WHEN state = 'wanted' THEN 0 ELSE 1 END, reason = NULL, {ReplicaSql.ReadyAnew}
        """;

    private const string FailedOrBacksOff = """
        (state = 'failed' OR (state = 'wanted' AND next_attempt_at IS NOT NULL AND waits_for IS DISTINCT FROM 'upload'))
        """;

    /// <summary>Tries the file at <paramref name="node"/> at once, with all its attempts before it.</summary>
    /// <returns>False where it neither failed nor waits: there is nothing to try.</returns>
    public async Task<bool> RetryAsync(NodeId node, FileKey key, CancellationToken cancellationToken)
    {
        const string sql = $"{Retry} WHERE node_id = @node AND file_key = @key AND {FailedOrBacksOff}";
        return await database.ExecuteAsync(sql, new { node, key }, cancellationToken) > 0;
    }

    /// <summary>Tries all at once that have failed attempts at <paramref name="node"/>, or those whose last one failed for a cause.</summary>
    /// <returns>How many.</returns>
    public Task<int> RetryAllAsync(NodeId node, FailureCause? cause, CancellationToken cancellationToken)
    {
        const string sql =
            $"{Retry} WHERE node_id = @node AND {FailedOrBacksOff} AND attempts > 0 AND (@cause::text IS NULL OR cause = @cause)";
        return database.ExecuteAsync(
            sql,
            new { node, cause = cause is { } one ? FailureCauses.SlugOf(one) : null },
            cancellationToken
        );
    }

    /// <summary>Of each cause the file that failed longest ago gets one attempt more: whether what failed it is still so.</summary>
    /// <param name="age">How long ago a file has failed at least.</param>
    /// <returns>The files, and the causes that they failed for.</returns>
    internal static async Task<IReadOnlyList<(FileKey Key, string? Cause)>> TryOneOfEachCauseAsync(
        NpgsqlConnection connection,
        NodeId node,
        int attemptsBefore,
        TimeSpan age,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            UPDATE filetransfer.replicas r
            SET state = 'wanted', epoch = r.epoch + 1, attempts = @attemptsBefore, next_attempt_at = NULL, waits_for = NULL,
                wanted_at = clock_timestamp(), changed_at = clock_timestamp()
            FROM (
                SELECT DISTINCT ON (cause) file_key FROM filetransfer.replicas
                WHERE node_id = @node AND state = 'failed' AND changed_at <= clock_timestamp() - @age
                ORDER BY cause, changed_at
            ) AS oldest
            WHERE r.node_id = @node AND r.file_key = oldest.file_key AND r.state = 'failed'
            RETURNING r.file_key, r.cause
            """;
        var parameters = new
        {
            node,
            attemptsBefore,
            age,
        };
        return [.. await connection.QueryAsync<(FileKey, string?)>(sql, parameters, cancellationToken)];
    }

    /// <summary>Tries all again that failed for a cause, of which one has just gone well.</summary>
    internal static Task<int> TryAllOfCauseAsync(
        NpgsqlConnection connection,
        NodeId node,
        string? cause,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"{Retry} WHERE node_id = @node AND state = 'failed' AND cause IS NOT DISTINCT FROM @cause";
        return connection.ExecuteAsync(sql, new { node, cause }, cancellationToken);
    }

    /// <summary>
    /// What waits at <paramref name="node"/> for its upload, or for somebody to have it, is looked for at the sources outside the cluster,
    /// which were not there before. Of a queue that is long, the newest.
    /// </summary>
    internal static Task<int> LookOutsideAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.replicas
            SET next_attempt_at = NULL, waits_for = NULL, reason = NULL, changed_at = clock_timestamp()
            WHERE node_id = @node AND state = 'wanted' AND next_attempt_at = 'infinity' AND waits_for = 'upload';
            UPDATE filetransfer.replicas SET next_attempt_at = clock_timestamp()
            WHERE node_id = @node AND file_key IN (
                SELECT file_key FROM filetransfer.replicas
                WHERE node_id = @node AND state = 'wanted' AND waits_for = 'provider' AND next_attempt_at > clock_timestamp()
                ORDER BY wanted_at DESC LIMIT @newest
            ) AND waits_for = 'provider'
            """;
        return connection.ExecuteAsync(sql, new { node, newest = 1000 }, cancellationToken);
    }
}
