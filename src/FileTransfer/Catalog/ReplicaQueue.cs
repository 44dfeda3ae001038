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
            reason = CASE WHEN acquired THEN NULL ELSE 'its lock is held by a session that has not let go yet' END,
            changed_at = clock_timestamp()
        FROM locked, filetransfer.files f
        WHERE r.node_id = locked.node_id AND r.file_key = locked.file_key AND f.file_key = r.file_key
        RETURNING acquired, r.file_key, f.fingerprint, f.size, r.epoch, r.attempts, r.lock_key, ARRAY(
            SELECT n.node_id || ' ' || n.url
            FROM filetransfer.replicas source
            JOIN filetransfer.nodes n ON n.node_id = source.node_id
            LEFT JOIN filetransfer.leader l ON l.node_id = n.node_id
            WHERE source.file_key = r.file_key AND source.state = 'stored' AND source.node_id <> @node
            ORDER BY n.seen_at < now() - interval '10 seconds', l.node_id IS NULL, n.node_id
        ) AS holdings
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

    private static readonly string _giveBack = $"""
        UPDATE filetransfer.replicas r
        SET state = CASE WHEN @wakes AND {SourceSinceClaim} THEN 'wanted' ELSE @state END,
            attempts = CASE WHEN @wakes AND {SourceSinceClaim} THEN 0 ELSE r.attempts + @spent END,
            next_attempt_at = CASE
                WHEN @state = 'wanted' AND NOT (@wakes AND {SourceSinceClaim}) THEN clock_timestamp() + @delay
            END,
            reason = @reason, bytes_proven = coalesce(@proven::bigint, r.bytes_proven),
            holder = NULL, holder_pid = NULL,
            wanted_at = clock_timestamp(), changed_at = clock_timestamp()
        WHERE {Mine} AND r.state = 'downloading' AND {Held}
        """;

    private static readonly string _progress = $"""
        UPDATE filetransfer.replicas r SET bytes_proven = @proven
        WHERE {Mine} AND r.state = 'downloading' AND {Held}
        """;

    /// <summary>
    /// A source that appears wakes whoever waits for one (<see cref="Replicas.WakeSql"/>), but not a replica that is just being tried, which
    /// therefore looks itself before it waits. changed_at of a replica under way is the time of its claim.
    /// </summary>
    private const string SourceSinceClaim = """
        EXISTS (
            SELECT FROM filetransfer.replicas s
            WHERE s.file_key = r.file_key AND s.node_id <> r.node_id AND s.state = 'stored' AND s.changed_at > r.changed_at
        )
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
                    if (await reader.NextResultAsync(token))
                    {
                        next = await ReadProvenClaimAsync(reader, session, token);
                    }
                }

                return new PublishResult(publish.RecordsAffected == 1, next);
            },
            cancellationToken
        );

    /// <summary>Puts the claimed replica back to be tried again.</summary>
    /// <param name="bytesProven">What is kept of it; null = as much as before.</param>
    /// <param name="delay">When to try again at the latest; a source that appears, or has appeared since the claim, ends the wait.</param>
    public Task<bool> RetryAsync(
        LeaseSession session,
        ClaimedReplica claim,
        string reason,
        long? bytesProven,
        bool spendsAttempt,
        TimeSpan delay,
        CancellationToken cancellationToken
    ) => GiveBackAsync(session, claim, ReplicaState.Wanted, reason, bytesProven, spendsAttempt, delay, cancellationToken);

    /// <summary>Sets the claimed replica aside: its attempts are spent.</summary>
    public Task<bool> FailAsync(
        LeaseSession session,
        ClaimedReplica claim,
        string reason,
        long bytesProven,
        CancellationToken cancellationToken
    ) =>
        GiveBackAsync(
            session,
            claim,
            ReplicaState.Failed,
            reason,
            bytesProven,
            spendsAttempt: true,
            TimeSpan.Zero,
            cancellationToken
        );

    /// <summary>Tells how far the download is. False when the claim has ended for this caller, and the download must stop.</summary>
    public Task<bool> ReportProgressAsync(
        LeaseSession session,
        ClaimedReplica claim,
        long bytesProven,
        CancellationToken cancellationToken
    ) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(_progress, connection);
                Bind(
                    command.Parameters,
                    ("node", node.Value),
                    ("key", claim.Key.ToArray()),
                    ("epoch", claim.Epoch),
                    ("proven", bytesProven)
                );
                return await command.ExecuteNonQueryAsync(token) == 1;
            },
            cancellationToken
        );

    private Task<bool> GiveBackAsync(
        LeaseSession session,
        ClaimedReplica claim,
        ReplicaState state,
        string reason,
        long? bytesProven,
        bool spendsAttempt,
        TimeSpan delay,
        CancellationToken cancellationToken
    ) =>
        EndAsync(
            session,
            claim,
            [
                Command(
                    _giveBack,
                    ("node", node.Value),
                    ("key", claim.Key.ToArray()),
                    ("epoch", claim.Epoch),
                    ("state", ReplicaTransitions.NameOf(state)),
                    ("reason", reason),
                    ("spent", spendsAttempt ? 1 : 0),
                    ("delay", delay),
                    ("wakes", state == ReplicaState.Failed || delay > TimeSpan.Zero),
                    ("proven", bytesProven)
                ),
            ],
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
                    reader.FieldCount > 7 ? reader.GetFieldValue<string[]>(7).Select(ReadHolding).ToList() : []
                )
            )
            : new ClaimOutcome.Busy();
    }

    /// <summary>A node id has no spaces.</summary>
    private static Holding ReadHolding(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return new Holding(new NodeId(text[..space]), new Uri(text[(space + 1)..]));
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
