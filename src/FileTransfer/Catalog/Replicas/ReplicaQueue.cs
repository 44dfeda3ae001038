namespace FileTransfer.Catalog.Replicas;

/// <summary>The queue of one node: the statements that a session runs under the lock of a replica.</summary>
/// <remarks>
/// Invariants, each held by the one statement that writes:
/// a replica is <c>downloading</c> only under the advisory lock of its holder's session;
/// it is published, failed or deleted only by the session that <c>pg_locks</c> shows as holder, and only in the epoch of its claim.
/// A statement that finds either no longer true changes nothing and says so.
/// </remarks>
public sealed partial class ReplicaQueue(NodeId node)
{
    /// <summary>Parameters by number, as those of a claim.</summary>
    /// <remarks>
    /// Locks are let go of after the last row was written under them; the rows stay locked until the commit, which waits for a standby where
    /// there is one.
    /// </remarks>
    private static readonly string _publish = $"""
        WITH published AS (
            UPDATE filetransfer.replicas r
            SET {ReplicaSql.Stored}, bytes_proven = claim.size
            FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS claim (file_key, epoch, size)
            WHERE r.node_id = $1 AND r.file_key = claim.file_key AND r.epoch = claim.epoch AND r.state = 'downloading' AND {Held}
            RETURNING r.file_key
        ), {ReplicaTransitions.Waking("SELECT file_key FROM published", "$1")}
        SELECT file_key, NULL::text AS node_id FROM published
        UNION ALL SELECT NULL, node_id FROM (SELECT DISTINCT node_id FROM woken) other
        UNION ALL SELECT NULL, NULL FROM unnest($5::bigint[]) AS lock
            WHERE CASE WHEN (SELECT count(*) FROM published) >= 0 AND (SELECT set_config('synchronous_commit', $6, true)) <> ''
                THEN pg_advisory_unlock(lock) IS NULL
            END
        """;

    private const string Mine = "r.node_id = @node AND r.file_key = @key AND r.epoch = @epoch";

    private static string Held => AdvisoryLockKey.HeldByThisSession("r.lock_key");

    /// <summary>
    /// Publishes claimed replicas as stored, wakes the replicas that waited for a source and lets go of the locks in one statement, and claims
    /// what is next in the same transaction and round trip.
    /// </summary>
    public Task<PublishResult> PublishAsync(
        LockConnection session,
        IReadOnlyList<ClaimedReplica> claims,
        ClaimLimit claimNext,
        CancellationToken cancellationToken
    ) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var batch = new NpgsqlBatch(connection)
                {
                    BatchCommands =
                    {
                        Numbered(
                            _publish,
                            node.Value,
                            claims.Select(claim => claim.Key).ToParameter(),
                            claims.Select(claim => claim.Epoch).ToArray(),
                            claims.Select(claim => claim.Size).ToArray(),
                            claims.Select(claim => claim.LockKey.Value).ToArray(),
                            session.ConfirmedCommit
                        ),
                    },
                };
                if (claimNext.Files > 0)
                {
                    AddClaim(batch, session, claimNext);
                }

                await using var reader = await batch.ExecuteReaderAsync(token);
                var published = new HashSet<FileKey>();
                var woken = new List<NodeId>();
                while (await reader.ReadAsync(token))
                {
                    if (reader.IsDBNull(1))
                    {
                        published.Add(new FileKey(reader.GetFieldValue<byte[]>(0)));
                    }
                    else
                    {
                        woken.Add(NodeId.OfRow(reader.GetString(1)));
                    }
                }

                var next = await reader.NextResultAsync(token)
                    ? await ReadClaimsAsync(reader, session, claimNext.Files, token)
                    : null;
                return new PublishResult(published, next) { Woken = woken };
            },
            cancellationToken
        );

    /// <summary>
    /// Runs the statements that end a claim, of which the last one writes it, and unlocks in the same transaction and round trip. The row
    /// stays locked until the commit, so nobody who gets the advisory lock in between can claim it.
    /// </summary>
    private static Task<bool> EndAsync(
        LockConnection session,
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

                batch.BatchCommands.Add(Unlock([claim]));
                await batch.ExecuteNonQueryAsync(token);
                return statements[^1].RecordsAffected == 1;
            },
            cancellationToken
        );

    private static NpgsqlBatchCommand Unlock(IReadOnlyList<ClaimedReplica> claims) =>
        Command(
            "SELECT pg_advisory_unlock(lock) FROM unnest(@locks::bigint[]) AS lock",
            ("locks", claims.Select(claim => claim.LockKey.Value).ToArray())
        );

    /// <summary>Makes the transaction of a batch wait for a standby where there is one.</summary>
    private static NpgsqlBatchCommand Confirmed(LockConnection session) =>
        Numbered("SELECT set_config('synchronous_commit', $1, true)", session.ConfirmedCommit);

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        Bind(command.Parameters, parameters);
        return command;
    }

    private static NpgsqlBatchCommand Numbered(string sql, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

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
