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
    private static readonly string _publish = $"""
        UPDATE filetransfer.replicas r
        SET {ReplicaSql.Stored}, bytes_proven = claim.size
        FROM unnest(@keys::bytea[], @epochs::bigint[], @sizes::bigint[]) AS claim (file_key, epoch, size)
        WHERE r.node_id = @node AND r.file_key = claim.file_key AND r.epoch = claim.epoch AND r.state = 'downloading' AND {Held}
        RETURNING r.file_key
        """;

    private const string Mine = "r.node_id = @node AND r.file_key = @key AND r.epoch = @epoch";

    private static string Held => AdvisoryLockKey.HeldByThisSession("r.lock_key");

    /// <summary>
    /// Publishes claimed replicas as stored, wakes the replicas that waited for a source, lets go of the locks and claims what is next:
    /// all in one transaction and round trip.
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
                var keys = claims.Select(claim => claim.Key).ToParameter();
                await using var batch = new NpgsqlBatch(connection)
                {
                    BatchCommands =
                    {
                        Confirmed(session),
                        Command(
                            _publish,
                            ("node", node.Value),
                            ("keys", keys),
                            ("epochs", claims.Select(claim => claim.Epoch).ToArray()),
                            ("sizes", claims.Select(claim => claim.Size).ToArray())
                        ),
                        Command(ReplicaTransitions.WakeSql, ("node", node.Value), ("keys", keys)),
                        Unlock(claims),
                    },
                };
                if (claimNext.Files > 0)
                {
                    AddClaim(batch, session, claimNext);
                }

                await using var reader = await batch.ExecuteReaderAsync(token);
                await reader.NextResultAsync(token);
                var published = await ReadKeysAsync(reader, token);

                await reader.NextResultAsync(token);
                var woken = new List<NodeId>();
                while (await reader.ReadAsync(token))
                {
                    woken.Add(new NodeId(reader.GetString(0)));
                }

                // The unlocking answers next.
                await reader.NextResultAsync(token);
                var next = await reader.NextResultAsync(token) ? await ReadProvenClaimsAsync(reader, session, token) : null;
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

    private static async Task<HashSet<FileKey>> ReadKeysAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var keys = new HashSet<FileKey>();
        while (await reader.ReadAsync(cancellationToken))
        {
            keys.Add(new FileKey(reader.GetFieldValue<byte[]>(0)));
        }

        return keys;
    }

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
