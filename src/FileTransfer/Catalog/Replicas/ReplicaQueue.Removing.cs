using FileTransfer.Catalog.Providers;

namespace FileTransfer.Catalog.Replicas;

/// <summary>What becomes of a replica that is removed.</summary>
public enum RemovalStep
{
    /// <summary>It is wanted again, or gone.</summary>
    None,

    /// <summary>Its content is kept for a while.</summary>
    Keep,

    /// <summary>Its bytes go.</summary>
    Delete,
}

/// <content>Replicas whose bytes are to be deleted.</content>
public sealed partial class ReplicaQueue
{
    /// <summary>Of the trash, what leaves it in one step.</summary>
    private const int EmptiedAtOnce = 100;

    private static readonly string _emptyTrash = $"""
        UPDATE filetransfer.replicas SET waits_for = 'emptied', next_attempt_at = NULL
        WHERE (node_id, file_key) IN (
            SELECT node_id, file_key FROM filetransfer.replicas r
            WHERE node_id = @node AND {ReplicaSql.IsInTrash} AND (@early OR next_attempt_at <= now())
            ORDER BY next_attempt_at LIMIT {EmptiedAtOnce}
            FOR UPDATE SKIP LOCKED
        )
        """;

    private static readonly string _claimRemoving = $"""
        WITH candidate AS MATERIALIZED (
            SELECT node_id, file_key, lock_key
            FROM filetransfer.replicas r
            WHERE node_id = @node AND {ReplicaSql.IsRemoving} AND (
                next_attempt_at IS NULL OR next_attempt_at <= clock_timestamp()
                -- No wait is that long: a clock wrote it down that was ahead.
                OR next_attempt_at > clock_timestamp() + interval '15 seconds'
            )
            ORDER BY changed_at
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        ), locked AS MATERIALIZED (
            SELECT node_id, file_key, pg_try_advisory_lock(lock_key) AS acquired FROM candidate
        )
        UPDATE filetransfer.replicas AS r
        SET holder = CASE WHEN acquired THEN @holder END,
            holder_pid = CASE WHEN acquired THEN pg_backend_pid() END,
            next_attempt_at = clock_timestamp() + CASE WHEN acquired THEN interval '10 seconds' ELSE interval '250 milliseconds' END
        FROM locked, filetransfer.files f
        WHERE r.node_id = locked.node_id AND r.file_key = locked.file_key AND f.file_key = r.file_key
        RETURNING acquired, r.file_key, f.fingerprint, f.size, r.epoch, r.attempts, r.lock_key, f.generation
        """;

    /// <summary>Whether the file may still be restored from its content here.</summary>
    private const string IsKept = "f.state = 'removed' AND NOT f.purged AND f.removed_at + @period > clock_timestamp()";

    private static readonly string _stepOfRemoving = $"""
        SELECT CASE WHEN {IsKept} AND r.waits_for IS NULL THEN 'keep' ELSE 'delete' END
        FROM filetransfer.replicas r JOIN filetransfer.files f ON f.file_key = r.file_key
        WHERE {Mine} AND r.state = 'removing' AND {Held}
        """;

    private static readonly string _keepRemoved = $"""
        UPDATE filetransfer.replicas r
        SET waits_for = 'trash', next_attempt_at = f.removed_at + @period, holder = NULL, holder_pid = NULL,
            reason = 'removed from the cluster; its content is kept until then, for the file to be restored'
        FROM (SELECT file_key, removed_at FROM filetransfer.files f WHERE f.file_key = @key AND {IsKept} FOR SHARE) f
        WHERE {Mine} AND r.state = 'removing' AND r.waits_for IS NULL AND {Held}
        """;

    private static readonly string _deleteRemoved = $"""
        DELETE FROM filetransfer.replicas r WHERE {Mine} AND r.state = 'removing' AND {Held}
        """;

    /// <summary>
    /// Takes the next replica that is to be deleted, with its lock. A removal is followed by deleting bytes, which no failover brings back:
    /// the claim is confirmed by a standby where there is one, and with it the removal, which was committed before.
    /// </summary>
    /// <exception cref="CommitUnconfirmedException">No standby has confirmed it; nothing may be deleted.</exception>
    public Task<ClaimOutcome> ClaimRemovingAsync(LockConnection session, CancellationToken cancellationToken) =>
        session.UseConfirmedAsync(
            async (connection, token) =>
            {
                await using var batch = new NpgsqlBatch(connection)
                {
                    BatchCommands =
                    {
                        Confirmed(session),
                        Command(_emptyTrash, ("node", node.Value), ("early", false)),
                        Command(_claimRemoving, ("node", node.Value), ("holder", session.ApplicationName)),
                    },
                };
                await using var reader = await batch.ExecuteReaderAsync(token);
                await reader.NextResultAsync(token);
                if (!await reader.ReadAsync(token))
                {
                    return new ClaimOutcome.Empty();
                }

                return reader.GetBoolean(0)
                    ? new ClaimOutcome.Claimed([ReadClaim(reader, FileProviders.None)], MayBeMore: true)
                    : (ClaimOutcome)new ClaimOutcome.Busy();
            },
            cancellationToken
        );

    /// <summary>What is to become of the replica now, proven under its lock: it may have been added again.</summary>
    /// <param name="period">How long the contents of removed files are kept.</param>
    public Task<RemovalStep> StepOfRemovingAsync(
        LockConnection session,
        ClaimedReplica claim,
        TimeSpan period,
        CancellationToken cancellationToken
    ) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(_stepOfRemoving, connection);
                Bind(command.Parameters, OfClaim(claim, period));
                return (string?)await command.ExecuteScalarAsync(token) switch
                {
                    "keep" => RemovalStep.Keep,
                    "delete" => RemovalStep.Delete,
                    _ => RemovalStep.None,
                };
            },
            cancellationToken
        );

    /// <summary>Keeps the content of a removed replica until the period is over. False when it was added again, or purged, meanwhile.</summary>
    public Task<bool> KeepRemovedAsync(
        LockConnection session,
        ClaimedReplica claim,
        TimeSpan period,
        CancellationToken cancellationToken
    ) => EndAsync(session, claim, [Command(_keepRemoved, OfClaim(claim, period))], cancellationToken);

    /// <summary>Has the oldest part of what is kept deleted before its time: the disk needs the room.</summary>
    /// <returns>How many replicas.</returns>
    public Task<int> EmptyTrashEarlyAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(_emptyTrash, new { node, early = true }, cancellationToken);

    private (string, object?)[] OfClaim(ClaimedReplica claim, TimeSpan period) =>
        [("node", node.Value), ("key", claim.Key.ToArray()), ("epoch", claim.Epoch), ("period", period)];

    /// <summary>Forgets the replica whose bytes are gone. False when it was added again meanwhile.</summary>
    public Task<bool> DeleteRemovedAsync(LockConnection session, ClaimedReplica claim, CancellationToken cancellationToken) =>
        EndAsync(
            session,
            claim,
            [Command(_deleteRemoved, ("node", node.Value), ("key", claim.Key.ToArray()), ("epoch", claim.Epoch))],
            cancellationToken
        );
}
