using FileTransfer.Identity;
using FileTransfer.Postgres;
using Npgsql;

namespace FileTransfer.Catalog;

/// <summary>The queue of one node: the statements that a session runs under the lock of a replica.</summary>
/// <remarks>
/// Invariants, each held by the one statement that writes:
/// a replica is <c>downloading</c> only under the advisory lock of its holder's session;
/// it is published, failed or deleted only by the session that <c>pg_locks</c> shows as holder, and only in the epoch of its claim.
/// A statement that finds either no longer true changes nothing and says so.
/// </remarks>
public sealed partial class ReplicaQueue(NodeId node)
{
    /// <summary>Notifies <c>node key</c> when a replica is ended by somebody else than its holder.</summary>
    public const string EndedChannel = "filetransfer_ended";

    /// <summary>Notifies <c>node</c> when replicas of it that waited became ready by what another node did.</summary>
    public const string ReadyChannel = "filetransfer_ready";

    private static readonly string _claim = $"""
        WITH candidate AS MATERIALIZED (
            SELECT node_id, file_key, lock_key
            FROM filetransfer.replicas
            WHERE node_id = @node AND state = 'wanted' AND next_attempt_at IS NULL
            ORDER BY priority DESC, wanted_at
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        ), locked AS MATERIALIZED (
            SELECT node_id, file_key, pg_try_advisory_lock(lock_key) AS acquired FROM candidate
        )
        UPDATE filetransfer.replicas AS r
        SET state = CASE WHEN acquired THEN 'downloading' ELSE 'wanted' END,
            epoch = r.epoch + CASE WHEN acquired THEN 1 ELSE 0 END,
            holder = CASE WHEN acquired THEN @holder END,
            holder_pid = CASE WHEN acquired THEN pg_backend_pid() END,
            next_attempt_at = CASE WHEN acquired THEN NULL ELSE clock_timestamp() + interval '1 second' END,
            waits_for = NULL,
            reason = CASE WHEN acquired THEN NULL ELSE 'its lock is held by a session that has not let go yet' END,
            changed_at = clock_timestamp()
        FROM locked, filetransfer.files f
        WHERE r.node_id = locked.node_id AND r.file_key = locked.file_key AND f.file_key = r.file_key
        RETURNING acquired, r.file_key, f.fingerprint, f.size, r.epoch, r.attempts, r.lock_key, {Availability}
        """;

    private static readonly string _proveClaim = $"""
        SELECT EXISTS (
            SELECT FROM filetransfer.replicas r
            WHERE r.node_id = @node AND r.state = 'downloading' AND r.holder_pid = pg_backend_pid() AND {Held}
        )
        """;

    private static readonly string _publish = $"""
        UPDATE filetransfer.replicas r
        SET state = 'stored', bytes_proven = @size, attempts = 0, next_attempt_at = NULL, holder = NULL, holder_pid = NULL,
            reason = NULL, changed_at = clock_timestamp()
        WHERE {Mine} AND r.state = 'downloading' AND {Held}
        """;

    private const string Mine = "r.node_id = @node AND r.file_key = @key AND r.epoch = @epoch";

    private static string Held => AdvisoryLockKey.HeldByThisSession("r.lock_key");

    /// <summary>Takes the next ready replica, its advisory lock and the proof of it, in one round trip.</summary>
    public Task<ClaimOutcome> ClaimAsync(LeaseSession session, CancellationToken cancellationToken) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var batch = new NpgsqlBatch(connection);
                AddClaim(batch, session);
                await using var reader = await batch.ExecuteReaderAsync(token);
                return await ReadProvenClaimAsync(reader, session, token);
            },
            cancellationToken
        );

    /// <summary>
    /// Publishes the claimed replica as stored, wakes the replicas that waited for a source, lets go of the lock and claims the next replica:
    /// all in one transaction and round trip.
    /// </summary>
    public Task<PublishResult> PublishAsync(
        LeaseSession session,
        ClaimedReplica claim,
        bool claimNext,
        CancellationToken cancellationToken
    ) =>
        session.UseAsync(
            async (connection, token) =>
            {
                var publish = Command(
                    _publish,
                    ("node", node.Value),
                    ("key", claim.Key.ToArray()),
                    ("epoch", claim.Epoch),
                    ("size", claim.Size)
                );
                await using var batch = new NpgsqlBatch(connection)
                {
                    BatchCommands =
                    {
                        publish,
                        Command(Replicas.WakeSql, ("node", node.Value), ("key", claim.Key.ToArray())),
                        Unlock(claim),
                    },
                };
                if (claimNext)
                {
                    AddClaim(batch, session);
                }

                ClaimOutcome? next = null;
                await using (var reader = await batch.ExecuteReaderAsync(token))
                {
                    // The waking and the unlocking answer first.
                    await reader.NextResultAsync(token);
                    if (await reader.NextResultAsync(token))
                    {
                        next = await ReadProvenClaimAsync(reader, session, token);
                    }
                }

                return new PublishResult(publish.RecordsAffected == 1, next);
            },
            cancellationToken
        );

    /// <summary>
    /// Runs the statements that end a claim and unlocks in the same transaction and round trip. The row stays locked until the commit,
    /// so nobody who gets the advisory lock in between can claim it.
    /// </summary>
    private static Task<bool> EndAsync(
        LeaseSession session,
        ClaimedReplica claim,
        NpgsqlBatchCommand[] statements,
        CancellationToken cancellationToken
    ) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var batch = new NpgsqlBatch(connection);
                foreach (var statement in statements)
                {
                    batch.BatchCommands.Add(statement);
                }

                batch.BatchCommands.Add(Unlock(claim));
                await batch.ExecuteNonQueryAsync(token);
                return statements[0].RecordsAffected == 1;
            },
            cancellationToken
        );

    private static NpgsqlBatchCommand Unlock(ClaimedReplica claim) =>
        Command("SELECT pg_advisory_unlock(@lock)", ("lock", claim.LockKey.Value));

    private void AddClaim(NpgsqlBatch batch, LeaseSession session)
    {
        batch.BatchCommands.Add(Command(_claim, ("node", node.Value), ("holder", session.ApplicationName)));
        batch.BatchCommands.Add(Command(_proveClaim, ("node", node.Value)));
    }

    private static async Task<ClaimOutcome> ReadProvenClaimAsync(
        NpgsqlDataReader reader,
        LeaseSession session,
        CancellationToken cancellationToken
    )
    {
        var outcome = await ReadClaimAsync(reader, cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return outcome is ClaimOutcome.Claimed && !reader.GetBoolean(0)
            ? throw new LeaseLostException($"{session.ApplicationName} claimed a file, but pg_locks does not show its lock.")
            : outcome;
    }

    private static async Task<ClaimOutcome> ReadClaimAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        if (!await reader.ReadAsync(cancellationToken))
        {
            return new ClaimOutcome.Empty();
        }

        return reader.GetBoolean(0)
            ? new ClaimOutcome.Claimed(
                new ClaimedReplica(
                    new FileKey(reader.GetFieldValue<byte[]>(1)),
                    new Fingerprint(reader.GetFieldValue<byte[]>(2)),
                    reader.GetInt64(3),
                    reader.GetInt64(4),
                    reader.GetInt32(5),
                    new AdvisoryLockKey(reader.GetInt64(6)),
                    reader.FieldCount > 7 ? ReadAvailability(reader, 7) : Catalog.Availability.None
                )
            )
            : new ClaimOutcome.Busy();
    }

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        Bind(command.Parameters, parameters);
        return command;
    }

    private static void Bind(NpgsqlParameterCollection to, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        foreach (var (name, value) in parameters)
        {
            to.AddWithValue(name, value ?? DBNull.Value);
        }
    }
}
