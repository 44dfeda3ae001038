namespace FileTransfer.Catalog.Replicas;

/// <summary>How the positions of a feed move with what is put into the queue.</summary>
/// <param name="Sql">A statement that moves them and whose rows are the bins that it moved; it knows <c>@node</c>.</param>
/// <param name="Parameters">Its other parameters.</param>
public sealed record FeedMove(string Sql, IReadOnlyList<(string Name, object Value)> Parameters);

/// <content>Files that a node sees for the first time: their rows begin as claimed ones.</content>
public sealed partial class ReplicaQueue
{
    /// <summary>Contents up to this size are claimed with their Add; larger ones take their turn in the queue.</summary>
    private const long ClaimedWithAdd = 1024 * 1024;

    /// <summary>As the table generates it of a row of <c>@node</c>.</summary>
    private const string LockKeyOfFile =
        "('x' || encode(substring(f.file_key FROM 1 FOR 8), 'hex'))::bit(64)::bigint # hashtextextended(@node, 0)";

    private const string AddedRow =
        "f.file_key, f.owner, f.bucket, f.location, f.size, f.fingerprint, f.generation, f.registered_at, f.sequence";

    /// <summary>
    /// Wants files that were added, as <see cref="ReplicaTransitions.WantAddedAsync"/> does, and claims those among them that are small, have no
    /// replica at the node yet and are at another node, or at an upstream: under lock, epoch and proof as any claim.
    /// </summary>
    /// <param name="move">Moves the feed's positions in the same statement; only files of bins that it moved are looked at.</param>
    /// <returns>The claims, and all that are wanted now and were not.</returns>
    public Task<(IReadOnlyList<ClaimedReplica> Claims, IReadOnlyList<ReplicaChange> Wanted)> ClaimAddedAsync(
        LockConnection session,
        IReadOnlyCollection<FileKey> keys,
        FeedMove move,
        ClaimLimit limit,
        CancellationToken cancellationToken
    ) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var batch = new NpgsqlBatch(connection)
                {
                    BatchCommands =
                    {
                        Command(DesiredState.HoldSql, ("node", node.Value)),
                        Command(
                            ClaimAddedSql(move.Sql),
                            [
                                ("node", node.Value),
                                ("keys", keys.ToParameter()),
                                ("bytes", limit.Bytes),
                                ("holder", session.ApplicationName),
                                .. move.Parameters.Select(parameter => (parameter.Name, (object?)parameter.Value)),
                            ]
                        ),
                    },
                };
                await using var reader = await batch.ExecuteReaderAsync(token);
                await reader.NextResultAsync(token);
                return await ReadAddedAsync(reader, session, token);
            },
            cancellationToken
        );

    /// <remarks>
    /// A lock that was taken for a row that somebody else has written meanwhile is let go of at the end. What is known here is asked as a value
    /// of each file, and not by an EXISTS, which the server may answer from all rows of the node.
    /// </remarks>
    private static string ClaimAddedSql(string move) =>
        $"""
            WITH moved AS (
                {move}
            ), added AS MATERIALIZED (
                SELECT {AddedRow} FROM filetransfer.files f
                WHERE f.file_key = ANY(@keys) AND f.state = 'added' AND (get_byte(f.file_key, 0) >> 4) = ANY(ARRAY(SELECT bin FROM moved))
                ORDER BY f.file_key FOR SHARE
            ), desired AS MATERIALIZED (
                SELECT f.*, @node::text AS node_id, {LockKeyOfFile} AS lock_key FROM added f WHERE {DesiredState.WantsSql}
            ), sized AS MATERIALIZED (
                SELECT f.*, sum(f.size) OVER (ORDER BY f.file_key) AS bytes_so_far FROM desired f
                WHERE f.size <= {ClaimedWithAdd} AND (
                    SELECT 1 FROM filetransfer.replicas known WHERE known.node_id = @node AND known.file_key = f.file_key
                ) IS NULL
            ), seen AS MATERIALIZED (
                SELECT r.file_key, r.lock_key, {ProviderColumns} FROM sized r {WithProviders} WHERE bytes_so_far <= @bytes
            ), locked AS MATERIALIZED (
                SELECT seen.*, CASE WHEN coalesce(nodes, upstreams) IS NOT NULL THEN pg_try_advisory_lock(lock_key) END AS acquired FROM seen
            ), {ProofOfLocked}, entered AS (
                INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, priority, holder, holder_pid)
                SELECT @node, f.file_key, CASE WHEN acquired THEN 'downloading' ELSE 'wanted' END, {ReplicaSql.PriorityOfBucket},
                    CASE WHEN acquired THEN @holder END, CASE WHEN acquired THEN pg_backend_pid() END
                FROM desired f LEFT JOIN locked USING (file_key)
                ON CONFLICT (node_id, file_key) DO UPDATE SET state = 'wanted', reason = NULL, {ReplicaSql.WantedAnew}
                    WHERE r.state = 'removing'
                RETURNING r.file_key, r.state, r.epoch, r.attempts, r.lock_key
            )
            SELECT entered.state = 'downloading' AND locked.acquired, f.file_key, f.fingerprint, f.size, entered.epoch, entered.attempts,
                entered.lock_key, f.generation, entered.lock_key = ANY(proof.held), entered.state IS NOT NULL, {ProviderColumns},
                f.owner, f.bucket, f.location, f.registered_at, f.sequence,
                CASE WHEN locked.acquired AND entered.state IS DISTINCT FROM 'downloading' THEN pg_advisory_unlock(locked.lock_key) END
            FROM desired f LEFT JOIN entered USING (file_key) LEFT JOIN locked USING (file_key) CROSS JOIN proof
            """;

    private static async Task<(IReadOnlyList<ClaimedReplica>, IReadOnlyList<ReplicaChange>)> ReadAddedAsync(
        NpgsqlDataReader reader,
        LockConnection session,
        CancellationToken cancellationToken
    )
    {
        var claims = new List<ClaimedReplica>();
        var wanted = new List<ReplicaChange>();
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!reader.GetBoolean(9))
            {
                continue; // It is here, or under way already.
            }

            wanted.Add(new ReplicaChange(new FileKey(reader.GetFieldValue<byte[]>(1)), reader.GetInt64(3)));
            if (!reader.IsDBNull(0) && reader.GetBoolean(0))
            {
                RequireProven(session, reader.GetBoolean(8));
                claims.Add(ReadClaim(reader, ReadProviders(reader, 10)) with { Row = ReadRow(reader) });
            }
        }

        return (claims, wanted);
    }

    private static LedgerRow ReadRow(NpgsqlDataReader reader) =>
        new()
        {
            FileKey = new FileKey(reader.GetFieldValue<byte[]>(1)),
            Fingerprint = new Fingerprint(reader.GetFieldValue<byte[]>(2)),
            Size = reader.GetInt64(3),
            Owner = new ByteString(reader.GetFieldValue<byte[]>(16)),
            Bucket = new ByteString(reader.GetFieldValue<byte[]>(17)),
            Location = new ByteString(reader.GetFieldValue<byte[]>(18)),
            State = FileState.Added,
            Generation = reader.GetInt32(7),
            RegisteredAt = reader.GetFieldValue<DateTimeOffset>(19),
            Sequence = reader.IsDBNull(20) ? null : reader.GetInt64(20),
            Pinned = false,
        };
}
