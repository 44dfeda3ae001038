using FileTransfer.Catalog.Providers;

namespace FileTransfer.Catalog.Replicas;

/// <content>The claim: which rows are taken, under which locks, with which proof.</content>
public sealed partial class ReplicaQueue
{
    // A claim names its parameters by number: of names Npgsql makes another text each time, and nothing runs as often.

    private static readonly string _claimOldest = ClaimSql(
        """
        WHERE node_id = $1 AND state = 'wanted' AND next_attempt_at IS NULL
        ORDER BY priority DESC, wanted_at
        """,
        "priority DESC, wanted_at, file_key"
    );

    private static readonly string _claimNewest = ClaimSql(
        """
        WHERE node_id = $1 AND state = 'wanted' AND next_attempt_at IS NULL AND priority = (
            SELECT priority FROM filetransfer.replicas
            WHERE node_id = $1 AND state = 'wanted' AND next_attempt_at IS NULL
            ORDER BY priority DESC LIMIT 1
        )
        ORDER BY wanted_at DESC
        """,
        "wanted_at DESC, file_key"
    );

    private static readonly string _claimUnprovided = ClaimSql(
        """
        WHERE node_id = $1 AND state = 'wanted' AND next_attempt_at IS NOT NULL AND waits_for = 'provider' AND next_attempt_at <= now()
        ORDER BY next_attempt_at
        """,
        "next_attempt_at, file_key",
        isClaimable: "true"
    );

    /// <summary>Takes the next ready replicas, their advisory locks and the proof of them, in one statement.</summary>
    public Task<ClaimOutcome> ClaimAsync(LockConnection session, ClaimLimit limit, CancellationToken cancellationToken) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var batch = new NpgsqlBatch(connection);
                AddClaim(batch, session, limit);
                await using var reader = await batch.ExecuteReaderAsync(token);
                return await ReadClaimsAsync(reader, session, limit.Files, token);
            },
            cancellationToken
        );

    /// <summary>Takes the first rows of the queue that fit, their locks, and where else their files are, in one statement.</summary>
    /// <param name="next">Which rows, and in which order.</param>
    /// <param name="order">The order once more, of the rows that were taken.</param>
    /// <param name="isClaimable">Whether a row may be claimed; one that may not is deferred until a node has its file.</param>
    /// <remarks>
    /// Rows are taken in the order of the queue, so those that are locked and not claimed go with the commit of this statement. The server's
    /// lock table is read once, after the last lock was taken, and not at all where none was.
    /// </remarks>
    private static string ClaimSql(string next, string order, string isClaimable = Claimable) =>
        $"""
            WITH next AS MATERIALIZED (
                SELECT node_id, file_key, lock_key, priority, wanted_at, next_attempt_at, in_folder
                FROM filetransfer.replicas
                {next}
                LIMIT $2
                FOR UPDATE SKIP LOCKED
            ), sized AS MATERIALIZED (
                SELECT next.*, f.fingerprint, f.size, f.generation, f.bucket, row_number() OVER queue AS place, sum(f.size) OVER queue AS bytes_so_far
                FROM next JOIN filetransfer.files f USING (file_key)
                WINDOW queue AS (ORDER BY {order})
            ), seen AS MATERIALIZED (
                SELECT r.*, {ProviderColumns} FROM sized r {WithProviders} WHERE place = 1 OR bytes_so_far <= $4
            ), locked AS MATERIALIZED (
                SELECT r.*, CASE WHEN {isClaimable} THEN pg_try_advisory_lock(lock_key) END AS acquired FROM seen r
            ), {ProofOfLocked}
            UPDATE filetransfer.replicas AS r
            SET state = CASE WHEN acquired THEN 'downloading' ELSE 'wanted' END,
                epoch = r.epoch + CASE WHEN acquired THEN 1 ELSE 0 END,
                holder = CASE WHEN acquired THEN $3 END,
                holder_pid = CASE WHEN acquired THEN pg_backend_pid() END,
                next_attempt_at = CASE
                    WHEN acquired IS NULL THEN clock_timestamp() + $6
                    WHEN NOT acquired THEN clock_timestamp() + interval '1 second'
                END,
                waits_for = CASE WHEN acquired IS NULL THEN 'provider' END,
                reason = CASE
                    WHEN acquired IS NULL THEN '{NoProvider}'
                    WHEN NOT acquired THEN 'its lock is held by a session that has not let go yet'
                END,
                in_folder = NULL,
                changed_at = clock_timestamp()
            FROM locked CROSS JOIN proof
            WHERE r.node_id = locked.node_id AND r.file_key = locked.file_key
            RETURNING acquired, r.file_key, locked.fingerprint, locked.size, r.epoch, r.attempts, r.lock_key,
                locked.generation, r.lock_key = ANY(proof.held), (SELECT count(*) FROM next)::integer, {ProviderColumns}, r.priority, locked.bucket
            """;

    /// <summary>The keys of all locks of this session, read once those of <c>locked</c> are taken.</summary>
    private static string ProofOfLocked =>
        $"""
            proof AS MATERIALIZED (
                SELECT CASE WHEN taken.any THEN {AdvisoryLockKey.AllOfThisSession} END AS held
                FROM (SELECT coalesce(bool_or(acquired), false) AS any FROM locked) taken
            )
            """;

    private void AddClaim(NpgsqlBatch batch, LockConnection session, ClaimLimit limit)
    {
        var claim = limit.From switch
        {
            ClaimFrom.Newest => _claimNewest,
            ClaimFrom.Unprovided => _claimUnprovided,
            _ => _claimOldest,
        };
        var lookAgain = LookAgainAfter(limit.AsksShares);
        batch.BatchCommands.Add(
            Numbered(claim, node.Value, limit.Files, session.ApplicationName, limit.Bytes, limit.AsksShares, lookAgain)
        );
    }

    private static async Task<ClaimOutcome> ReadClaimsAsync(
        NpgsqlDataReader reader,
        LockConnection session,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var claims = new List<ClaimedReplica>();
        var (rows, lookedAt, isDeferred) = (0, 0, false);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows++;
            lookedAt = reader.GetInt32(9);
            if (reader.IsDBNull(0))
            {
                isDeferred = true;
            }
            else if (reader.GetBoolean(0))
            {
                RequireProven(session, reader.GetBoolean(8));
                claims.Add(
                    ReadClaim(reader, ReadProviders(reader, 10)) with
                    {
                        Priority = reader.GetInt16(16),
                        Bucket = new BucketId(new ByteString(reader.GetFieldValue<byte[]>(17))),
                    }
                );
            }
        }

        return claims.Count > 0 ? new ClaimOutcome.Claimed(claims, lookedAt == limit || rows < lookedAt)
            : rows == 0 ? new ClaimOutcome.Empty()
            : isDeferred ? new ClaimOutcome.Deferred()
            : new ClaimOutcome.Busy();
    }

    private static ClaimedReplica ReadClaim(NpgsqlDataReader reader, FileProviders providers) =>
        new(
            new FileKey(reader.GetFieldValue<byte[]>(1)),
            new Fingerprint(reader.GetFieldValue<byte[]>(2)),
            reader.GetInt64(3),
            reader.GetInt64(4),
            reader.GetInt32(5),
            new AdvisoryLockKey(reader.GetInt64(6)),
            reader.GetInt32(7),
            providers
        );

    private static void RequireProven(LockConnection session, bool isProven)
    {
        if (!isProven)
        {
            throw new LockConnectionLostException(
                $"{session.ApplicationName} claimed a file, but pg_locks does not show its lock."
            );
        }
    }
}
