namespace FileTransfer.Catalog.Replicas;

/// <summary>Files that are set aside at a node: those of a bucket, or one.</summary>
/// <param name="Reason">Who paused them, and until when.</param>
public sealed record PausedFiles(ByteString? Bucket, FileKey? Key, string Reason);

/// <content>Paused by a person, and wanted again.</content>
public sealed partial class ReplicaTransitions
{
    /// <summary>What waits for its upload has nothing to be stopped.</summary>
    private const string ToPause = $"""
        filetransfer.files f
        JOIN unnest(@buckets::bytea[], @keys::bytea[], @reasons::text[]) p (bucket, file_key, reason)
            ON p.bucket = f.bucket OR p.file_key = f.file_key
        WHERE r.node_id = @node AND r.file_key = f.file_key AND (
            ({ReplicaSql.IsReady}) OR ({ReplicaSql.Waits} AND r.waits_for IS DISTINCT FROM 'upload') OR ({ReplicaSql.WaitsForProvider})
            OR r.state = 'failed'
        )
        """;

    private const string ToResume = """
        filetransfer.files f
        WHERE r.node_id = @node AND r.file_key = f.file_key AND r.state = 'paused' AND NOT EXISTS (
            SELECT FROM unnest(@buckets::bytea[], @keys::bytea[]) p (bucket, file_key)
            WHERE p.bucket = f.bucket OR p.file_key = f.file_key
        )
        """;

    private const string Pause = $"""
        UPDATE filetransfer.replicas r
        SET state = 'paused', epoch = r.epoch + 1, next_attempt_at = NULL, waits_for = NULL, holder = NULL, holder_pid = NULL,
            reason = p.reason, changed_at = clock_timestamp()
        FROM {ToPause}
        """;

    private const string Resume = $"""
        UPDATE filetransfer.replicas r SET state = 'wanted', epoch = r.epoch + 1, reason = NULL, {ReplicaSql.ReadyAnew}
        FROM {ToResume}
        """;

    /// <summary>A bucket may have millions of files.</summary>
    private static readonly int _longPatience = (int)TimeSpan.FromMinutes(10).TotalSeconds;

    /// <summary>
    /// Sets aside what waits or has failed at <paramref name="node"/> and is among <paramref name="paused"/>, which are all that are; whatever else
    /// is set aside is wanted again. What is being downloaded is set aside by the lane that has it.
    /// </summary>
    /// <param name="changes">False: only counts.</param>
    public Task<(long Paused, long Resumed)> FollowPausesAsync(
        NodeId node,
        IReadOnlyList<PausedFiles> paused,
        bool changes,
        CancellationToken cancellationToken
    )
    {
        var parameters = new
        {
            node,
            buckets = paused.Select(one => one.Bucket?.ToArray()).ToArray(),
            keys = paused.Select(one => one.Key?.ToArray()).ToArray(),
            reasons = paused.Select(one => one.Reason).ToArray(),
        };
        return Deadlocks.RetryAsync(() =>
            database.WithConnectionAsync(
                async connection =>
                    (
                        await CountAsync(connection, changes ? Pause : null, ToPause),
                        await CountAsync(connection, changes ? Resume : null, ToResume)
                    ),
                cancellationToken
            )
        );

        async Task<long> CountAsync(NpgsqlConnection connection, string? change, string which)
        {
            var sql = change ?? $"SELECT count(DISTINCT r.file_key) FROM filetransfer.replicas r, {which}";
            var command = new CommandDefinition(
                sql,
                parameters,
                commandTimeout: _longPatience,
                cancellationToken: cancellationToken
            );
            return change is null ? await connection.QuerySingleAsync<long>(command) : await connection.ExecuteAsync(command);
        }
    }
}
