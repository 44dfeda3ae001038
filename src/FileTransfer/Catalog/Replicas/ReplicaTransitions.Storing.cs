namespace FileTransfer.Catalog.Replicas;

/// <content>Stored by an upload, lost again, and what that means for other nodes.</content>
public sealed partial class ReplicaTransitions
{
    /// <summary>Why a replica is wanted again that was stored.</summary>
    public const string LostFromDisk = "its content was lost from the disk";

    /// <summary>
    /// Records contents that arrived by upload, also where nobody wanted them here before, and wakes the replicas that waited for them; the caller
    /// has locked the files' rows. Somebody brought them here, so no policy of the node keeps them out.
    /// </summary>
    /// <returns>The files that were not stored before; and the nodes to notify after the commit.</returns>
    public static async Task<(IReadOnlySet<FileKey> Stored, IReadOnlyList<NodeId> Woken)> StoreUploadsAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileRecord> files,
        CancellationToken cancellationToken
    )
    {
        var sql = $"""
            UPDATE filetransfer.replicas r SET state = 'wanted', reason = NULL, {ReplicaSql.WantedAnew}
            WHERE node_id = @node AND file_key = ANY(@keys) AND state = 'removing';
            INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, pinned, bytes_proven)
            SELECT @node, file_key, 'stored', true, size FROM unnest(@keys::bytea[], @sizes::bigint[]) AS uploaded (file_key, size)
            ON CONFLICT (node_id, file_key) DO UPDATE
                SET {ReplicaSql.Stored}, pinned = true, epoch = r.epoch + 1, bytes_proven = EXCLUDED.bytes_proven
                WHERE r.state = ANY(@from)
            RETURNING file_key;
            UPDATE filetransfer.replicas SET pinned = true WHERE node_id = @node AND file_key = ANY(@keys) AND NOT pinned;
            {WakeSql}
            """;
        var parameters = new
        {
            node,
            keys = files.Select(file => file.Key).ToParameter(),
            sizes = files.Select(file => file.Size).ToArray(),
            from = Into(ReplicaState.Stored),
        };
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, parameters, cancellationToken: cancellationToken)
        );
        var stored = (await answers.ReadAsync<FileKey>()).ToHashSet();
        return (stored, [.. await answers.ReadAsync<NodeId>()]);
    }

    /// <summary>
    /// Records contents that came with the Adds of their files, where the node wants them or has a replica of them, and wakes the replicas that
    /// wait for them; the caller has locked the files' rows.
    /// </summary>
    /// <returns>The files that are stored, and whether they were not before; and the nodes to notify after the commit.</returns>
    public static async Task<(IReadOnlyList<(FileKey Key, bool IsNew)> Stored, IReadOnlyList<NodeId> Woken)> StoreShippedAsync(
        NpgsqlConnection connection,
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        var sql = $"""
            {DesiredState.HoldSql};
            UPDATE filetransfer.replicas r SET state = 'wanted', reason = NULL, {ReplicaSql.WantedAnew}
            FROM filetransfer.files f
            WHERE r.node_id = @node AND r.file_key = ANY(@keys) AND r.state = 'removing' AND f.file_key = r.file_key AND {DesiredState.WantsSql};
            WITH put AS (
                INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, bytes_proven)
                SELECT @node, f.file_key, 'stored', f.size FROM filetransfer.files f
                WHERE f.file_key = ANY(@keys) AND ({DesiredState.WantsSql} OR EXISTS (
                    SELECT FROM filetransfer.replicas here WHERE here.node_id = @node AND here.file_key = f.file_key
                ))
                ON CONFLICT (node_id, file_key) DO UPDATE
                    SET {ReplicaSql.Stored}, epoch = r.epoch + 1, bytes_proven = EXCLUDED.bytes_proven WHERE r.state = ANY(@from)
                RETURNING file_key
            )
            SELECT file_key, true FROM put
            UNION ALL
            SELECT file_key, false FROM filetransfer.replicas WHERE node_id = @node AND file_key = ANY(@keys) AND state = 'stored';
            {WakeSql}
            """;
        var parameters = new
        {
            node,
            keys = keys.ToParameter(),
            from = Into(ReplicaState.Stored),
        };
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, parameters, cancellationToken: cancellationToken)
        );
        await answers.ReadAsync<object>();
        var stored = (await answers.ReadAsync<(FileKey, bool)>()).AsList();
        return (stored, [.. await answers.ReadAsync<NodeId>()]);
    }

    /// <summary>How many of those that wait for a permit are woken by a node that has got the content.</summary>
    public const int WokenForPermit = 4;

    /// <summary>
    /// Lets every other node's replicas of the files <c>@keys</c> that wait, back off or gave up try again at once, where <c>@node</c> has the
    /// files stored. Its rows are the nodes to notify (<see cref="ReplicaNotifications.Ready"/>) after the commit.
    /// </summary>
    internal static readonly string WakeSql = $"""
        WITH {Waking("SELECT file_key FROM unnest(@keys::bytea[]) AS given (file_key)", "@node", StoredHere)}
        SELECT DISTINCT node_id FROM woken
        """;

    private const string StoredHere = """
        AND (SELECT source.state = 'stored' FROM filetransfer.replicas source WHERE source.node_id = @node AND source.file_key = r.file_key)
        """;

    /// <summary>
    /// Expressions of a WITH, the last named <c>woken</c>: other nodes' replicas of what has been stored at a node, made ready. Of those that
    /// wait for a permit only the first few: the node serves one of them, and who has waited longest comes next.
    /// </summary>
    /// <param name="stored">A query for the files' keys.</param>
    /// <param name="node">The parameter that names the node.</param>
    /// <param name="condition">AND: what has to hold of a replica <c>r</c> beside.</param>
    /// <remarks>
    /// OFFSET, and a value instead of an EXISTS, keep the server to looking up single rows: of a node that has just filled up, or wants very
    /// many, its statistics say that it has next to nothing.
    /// </remarks>
    internal static string Waking(string stored, string node, string condition = "") =>
        $"""
            waiting AS MATERIALIZED (
                SELECT r.node_id, r.file_key FROM ({stored}) stored CROSS JOIN LATERAL (
                    SELECT * FROM filetransfer.replicas WHERE file_key = stored.file_key OFFSET 0
                ) r
                WHERE r.node_id <> {node}
                  AND (r.state = 'failed' OR (r.state = 'wanted' AND r.next_attempt_at IS NOT NULL))
                  AND (
                      r.state = 'failed' OR r.waits_for IS DISTINCT FROM 'permit' OR r.node_id = ANY(ARRAY(
                          SELECT waiter.node_id FROM filetransfer.replicas waiter
                          WHERE waiter.file_key = r.file_key AND waiter.node_id <> {node} AND waiter.state = 'wanted'
                            AND waiter.waits_for = 'permit'
                          ORDER BY waiter.wanted_at LIMIT {WokenForPermit}
                      ))
                  )
                  {condition}
            ), woken AS (
                UPDATE filetransfer.replicas r
                SET state = 'wanted', next_attempt_at = NULL, waits_for = NULL, attempts = 0, reason = NULL, changed_at = clock_timestamp()
                FROM waiting
                WHERE r.node_id = waiting.node_id AND r.file_key = waiting.file_key
                  AND (r.state = 'failed' OR (r.state = 'wanted' AND r.next_attempt_at IS NOT NULL))
                RETURNING r.node_id
            )
            """;

    /// <summary>
    /// Every replica of the node whose content turned out to be absent is wanted again; one that neither a policy nor anybody wants at this node
    /// any more leaves it.
    /// </summary>
    /// <returns>The files, their sizes, and the new states of their replicas.</returns>
    public async Task<IReadOnlyList<(FileKey Key, long Size, ReplicaState State)>> MarkMissingAsync(
        NodeId node,
        Fingerprint fingerprint,
        string reason,
        CancellationToken cancellationToken
    )
    {
        const string hold = "SELECT 1 FROM filetransfer.files f WHERE f.fingerprint = @fingerprint ORDER BY f.file_key FOR SHARE";
        const string lose = $"""
            UPDATE filetransfer.replicas r
            SET state = CASE WHEN r.pinned OR {DesiredState.WantsSql} THEN 'wanted' ELSE 'removing' END, reason = @reason, {ReplicaSql.WantedAnew}
            FROM filetransfer.files f
            WHERE f.fingerprint = @fingerprint AND r.node_id = @node AND r.file_key = f.file_key AND r.state = 'stored'
            RETURNING r.file_key, f.size, r.state
            """;
        var parameters = new
        {
            node,
            fingerprint,
            reason,
        };
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await DesiredState.HoldAsync(connection, node, cancellationToken);
        await connection.ExecuteAsync(hold, parameters, cancellationToken);
        var lost = await connection.QueryAsync<(FileKey, long, ReplicaState)>(lose, parameters, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return lost.AsList();
    }
}
