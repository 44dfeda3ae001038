using FileTransfer.Catalog.Providers;

namespace FileTransfer.Catalog.Replicas;

/// <content>Replicas whose bytes are to be deleted.</content>
public sealed partial class ReplicaQueue
{
    private static readonly string _claimRemoving = $"""
        WITH candidate AS MATERIALIZED (
            SELECT node_id, file_key, lock_key
            FROM filetransfer.replicas
            WHERE node_id = @node AND state = 'removing' AND (
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

    private static readonly string _stillRemoving = $"""
        SELECT EXISTS (SELECT FROM filetransfer.replicas r WHERE {Mine} AND r.state = 'removing' AND {Held})
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

    /// <summary>Whether the replica is still to be deleted, proven under its lock: it may have been added again.</summary>
    public Task<bool> IsStillRemovingAsync(LockConnection session, ClaimedReplica claim, CancellationToken cancellationToken) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(_stillRemoving, connection);
                Bind(command.Parameters, ("node", node.Value), ("key", claim.Key.ToArray()), ("epoch", claim.Epoch));
                return (bool)(await command.ExecuteScalarAsync(token))!;
            },
            cancellationToken
        );

    /// <summary>Forgets the replica whose bytes are gone. False when it was added again meanwhile.</summary>
    public Task<bool> DeleteRemovedAsync(LockConnection session, ClaimedReplica claim, CancellationToken cancellationToken) =>
        EndAsync(
            session,
            claim,
            [Command(_deleteRemoved, ("node", node.Value), ("key", claim.Key.ToArray()), ("epoch", claim.Epoch))],
            cancellationToken
        );
}
