using Dapper;
using FileTransfer.Identity;
using FileTransfer.Postgres;
using Npgsql;

namespace FileTransfer.Catalog.Replicas;

/// <summary>How many replicas of a node are in each state.</summary>
public sealed record ReplicaCounts(NodeId Node, ReplicaState State, long Count);

/// <summary>The replicas of a node that have failed: how many, since when, and the latest of them.</summary>
/// <param name="Count">One more than <see cref="MostCounted"/> stands for all above.</param>
public sealed record FailedReplicas(long Count, DateTimeOffset Since, FileKey Latest, string? LatestReason)
{
    public const int MostCounted = 10_000;
}

/// <summary>Every node's copy of every file: reads <c>filetransfer.replicas</c> and writes it outside the download lock.</summary>
public sealed partial class ReplicaTable(Database database)
{
    /// <summary>Why a replica waits whose file's content nobody has yet.</summary>
    public const string WaitsForUpload = "waits for its upload";

    /// <summary>Why a replica is wanted again that was stored.</summary>
    public const string LostFromDisk = "its content was lost from the disk";

    public async Task<IReadOnlyList<ReplicaRecord>> OfAsync(FileKey key, CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<ReplicaRow>(
            new CommandDefinition(
                $"SELECT {ReplicaRow.Columns} FROM filetransfer.replicas r WHERE r.file_key = @key ORDER BY r.node_id",
                new { key = key.ToArray() },
                cancellationToken: cancellationToken
            )
        );
        return rows.Select(row => row.ToRecord()).ToList();
    }

    /// <summary>The state of the file's replica at <paramref name="node"/>; null when it has none.</summary>
    public async Task<ReplicaState?> StateOfAsync(NodeId node, FileKey key, CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var state = await connection.QuerySingleOrDefaultAsync<string>(
            new CommandDefinition(
                "SELECT state FROM filetransfer.replicas WHERE node_id = @node AND file_key = @key",
                new { node = node.Value, key = key.ToArray() },
                cancellationToken: cancellationToken
            )
        );
        return state is null ? null : ReplicaTransitions.Parse(state);
    }

    /// <summary>How many replicas are stored, by node: all of them are read.</summary>
    internal Task<IReadOnlyList<ReplicaCounts>> CountStoredAsync(CancellationToken cancellationToken) =>
        CountAsync(
            "SELECT node_id, state, count(*) FROM filetransfer.replicas WHERE state = 'stored' GROUP BY node_id, state",
            cancellationToken
        );

    /// <summary>How many replicas are not stored, by node and state: along indexes that hold nothing else.</summary>
    internal Task<IReadOnlyList<ReplicaCounts>> CountOthersAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT node_id, state, sum(counted)::bigint FROM (
                SELECT node_id, state, count(*) AS counted FROM filetransfer.replicas
                WHERE state = 'wanted' AND next_attempt_at IS NULL GROUP BY node_id, state
                UNION ALL
                SELECT node_id, state, count(*) FROM filetransfer.replicas
                WHERE state = 'wanted' AND next_attempt_at IS NOT NULL AND waits_for IS DISTINCT FROM 'provider' GROUP BY node_id, state
                UNION ALL
                SELECT node_id, state, count(*) FROM filetransfer.replicas
                WHERE state = 'wanted' AND next_attempt_at IS NOT NULL AND waits_for = 'provider' GROUP BY node_id, state
                UNION ALL
                SELECT node_id, state, count(*) FROM filetransfer.replicas WHERE state = 'downloading' GROUP BY node_id, state
                UNION ALL
                SELECT node_id, state, count(*) FROM filetransfer.replicas WHERE state = 'removing' GROUP BY node_id, state
                UNION ALL
                SELECT node_id, state, count(*) FROM filetransfer.replicas WHERE state IN ('failed', 'paused') GROUP BY node_id, state
            ) AS of_states
            GROUP BY node_id, state
            """;
        return CountAsync(sql, cancellationToken);
    }

    private async Task<IReadOnlyList<ReplicaCounts>> CountAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(string Node, string State, long Count)>(
            new CommandDefinition(sql, cancellationToken: cancellationToken)
        );
        return rows.Select(row => new ReplicaCounts(new NodeId(row.Node), ReplicaTransitions.Parse(row.State), row.Count))
            .ToList();
    }

    /// <summary>What has failed at a node; null where nothing has.</summary>
    public async Task<FailedReplicas?> FailedAsync(NodeId node, CancellationToken cancellationToken)
    {
        // Counted no further than anybody reads, and along an index that holds nothing else: probes ask this all day.
        const string sql = """
            SELECT (SELECT count(*) FROM (
                        SELECT FROM filetransfer.replicas WHERE node_id = @node AND state = 'failed' LIMIT @most + 1) AS counted),
                   (SELECT min(changed_at) FROM filetransfer.replicas WHERE node_id = @node AND state = 'failed'),
                   l.file_key, l.reason
            FROM (
                SELECT file_key, reason FROM filetransfer.replicas
                WHERE node_id = @node AND state = 'failed' ORDER BY changed_at DESC LIMIT 1
            ) AS l
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<(long Count, DateTime Since, byte[] Key, string? Reason)?>(
            new CommandDefinition(
                sql,
                new { node = node.Value, most = FailedReplicas.MostCounted },
                cancellationToken: cancellationToken
            )
        );
        return row is var (count, since, key, reason) ? new FailedReplicas(count, since, new FileKey(key), reason) : null;
    }

    /// <summary>All replicas of a node that is taken out of the cluster.</summary>
    /// <returns>How many there were, and how many of them were the only stored one of their file.</returns>
    public static async Task<(long Replicas, long OnlyCopies)> ForgetNodeAsync(
        NpgsqlConnection connection,
        NodeId node,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT count(*) FROM filetransfer.replicas r
            WHERE r.node_id = @node AND r.state = 'stored' AND NOT EXISTS (
                SELECT FROM filetransfer.replicas o
                WHERE o.file_key = r.file_key AND o.node_id <> r.node_id AND o.state = 'stored'
            );
            WITH gone AS (DELETE FROM filetransfer.replicas WHERE node_id = @node RETURNING 1) SELECT count(*) FROM gone
            """;
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, new { node = node.Value }, commandTimeout: 600, cancellationToken: cancellationToken)
        );
        var onlyCopies = await answers.ReadSingleAsync<long>();
        return (await answers.ReadSingleAsync<long>(), onlyCopies);
    }

    /// <summary>
    /// Wants the file at <paramref name="node"/>, where somebody named it: also one that is being removed, and one that has failed. Any other
    /// replica only becomes one that was asked for, which no policy withdraws.
    /// </summary>
    /// <param name="waitsForUpload">Nobody has its content yet; else the download may start at once.</param>
    public static Task WantAsync(
        NpgsqlConnection connection,
        NodeId node,
        FileKey key,
        bool waitsForUpload,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            INSERT INTO filetransfer.replicas AS r (node_id, file_key, state, pinned, next_attempt_at, waits_for, reason)
            VALUES (
                @node, @key, 'wanted', true, CASE WHEN @waitsForUpload THEN 'infinity'::timestamptz END,
                CASE WHEN @waitsForUpload THEN 'upload' END, CASE WHEN @waitsForUpload THEN '{WaitsForUpload}' END
            )
            ON CONFLICT (node_id, file_key) DO UPDATE
                SET state = 'wanted', pinned = true, epoch = r.epoch + 1, attempts = 0, bytes_proven = 0, holder = NULL, holder_pid = NULL,
                    next_attempt_at = EXCLUDED.next_attempt_at, waits_for = EXCLUDED.waits_for, reason = EXCLUDED.reason,
                    wanted_at = clock_timestamp(), changed_at = clock_timestamp()
                WHERE r.state IN ('removing', 'failed');
            UPDATE filetransfer.replicas SET pinned = true WHERE node_id = @node AND file_key = @key AND NOT pinned
            """;
        return connection.ExecuteAsync(
            new CommandDefinition(
                sql,
                new
                {
                    node = node.Value,
                    key = key.ToArray(),
                    waitsForUpload,
                },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>Records a content that arrived by upload, and wakes the replicas that waited for it; the caller has locked the file's row.</summary>
    /// <returns>False when nothing here waits for it; and the nodes to notify after the commit.</returns>
    public static async Task<(bool IsStored, IReadOnlyList<NodeId> Woken)> StoreUploadAsync(
        NpgsqlConnection connection,
        NodeId node,
        FileRecord file,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            UPDATE filetransfer.replicas
            SET state = 'stored', epoch = epoch + 1, bytes_proven = @size, attempts = 0, next_attempt_at = NULL,
                holder = NULL, holder_pid = NULL, reason = NULL, changed_at = clock_timestamp()
            WHERE node_id = @node AND file_key = @key AND state = ANY(@from)
            RETURNING true;
            {WakeSql}
            """;
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(
                sql,
                new
                {
                    node = node.Value,
                    key = file.Key.ToArray(),
                    keys = new[] { file.Key.ToArray() },
                    size = file.Size,
                    from = ReplicaTransitions.Into(ReplicaState.Stored),
                },
                cancellationToken: cancellationToken
            )
        );
        var isStored = await answers.ReadSingleOrDefaultAsync<bool>();
        var woken = await answers.ReadAsync<string>();
        return (isStored, [.. woken.Select(id => new NodeId(id))]);
    }

    /// <summary>
    /// Lets every other node's replicas of the files <c>@keys</c> that wait, back off or gave up try again at once: <c>@node</c> has the files
    /// stored. Of those that wait for a permit only the first few: this node serves one of them, and who has waited longest comes next.
    /// </summary>
    /// <remarks>
    /// Its rows are the nodes to notify (<see cref="ReplicaQueue.ReadyChannel"/>) after the commit. OFFSET, and a value
    /// instead of an EXISTS, keep the server to looking up single rows: of a node that has just filled up, or wants very many, its statistics say that it has next to nothing.
    /// </remarks>
    internal const string WakeSql = """
        WITH waiting AS MATERIALIZED (
            SELECT r.node_id, r.file_key FROM unnest(@keys::bytea[]) AS stored (file_key) CROSS JOIN LATERAL (
                SELECT * FROM filetransfer.replicas WHERE file_key = stored.file_key OFFSET 0
            ) r
            WHERE r.node_id <> @node
              AND (r.state = 'failed' OR (r.state = 'wanted' AND r.next_attempt_at IS NOT NULL))
              AND (
                  r.state = 'failed' OR r.waits_for IS DISTINCT FROM 'permit' OR r.node_id = ANY(ARRAY(
                      SELECT waiter.node_id FROM filetransfer.replicas waiter
                      WHERE waiter.file_key = r.file_key AND waiter.node_id <> @node AND waiter.state = 'wanted' AND waiter.waits_for = 'permit'
                      ORDER BY waiter.wanted_at LIMIT 4
                  ))
              )
              AND (
                  SELECT source.state = 'stored' FROM filetransfer.replicas source
                  WHERE source.node_id = @node AND source.file_key = r.file_key
              )
        ), woken AS (
            UPDATE filetransfer.replicas r
            SET state = 'wanted', next_attempt_at = NULL, waits_for = NULL, attempts = 0, reason = NULL, changed_at = clock_timestamp()
            FROM waiting
            WHERE r.node_id = waiting.node_id AND r.file_key = waiting.file_key
              AND (r.state = 'failed' OR (r.state = 'wanted' AND r.next_attempt_at IS NOT NULL))
            RETURNING r.node_id
        )
        SELECT DISTINCT node_id FROM woken
        """;

    /// <summary>
    /// Ends every replica of the file, on all nodes of this database. The new epoch fences whatever is under way: from this commit on no
    /// download of the former Add can be published.
    /// </summary>
    /// <returns>Their nodes, to be notified (<see cref="ReplicaQueue.EndedChannel"/>) after the commit.</returns>
    public static async Task<IReadOnlyList<NodeId>> RemoveAsync(
        NpgsqlConnection connection,
        FileKey key,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            UPDATE filetransfer.replicas
            SET state = 'removing', epoch = epoch + 1, next_attempt_at = NULL, holder = NULL, holder_pid = NULL, pinned = false,
                reason = 'removed from the cluster', changed_at = clock_timestamp()
            WHERE file_key = @key AND state = ANY(@from)
            RETURNING node_id
            """;
        var ended = await connection.QueryAsync<string>(
            new CommandDefinition(
                sql,
                new { key = key.ToArray(), from = ReplicaTransitions.Into(ReplicaState.Removing) },
                cancellationToken: cancellationToken
            )
        );
        return [.. ended.Select(id => new NodeId(id))];
    }

    /// <summary>A page of this node's stored files in the order of their keys, with their contents, for the repair at start.</summary>
    public async Task<IReadOnlyList<(FileKey Key, Fingerprint Fingerprint, long Size)>> StoredAsync(
        NodeId node,
        FileKey? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT f.file_key, f.fingerprint, f.size
            FROM filetransfer.replicas r JOIN filetransfer.files f ON f.file_key = r.file_key
            WHERE r.node_id = @node AND r.state = 'stored' AND (@after::bytea IS NULL OR r.file_key > @after)
            ORDER BY r.file_key LIMIT @limit
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(byte[] Key, byte[] Fingerprint, long Size)>(
            new CommandDefinition(
                sql,
                new
                {
                    node = node.Value,
                    after = after?.ToArray(),
                    limit,
                },
                cancellationToken: cancellationToken
            )
        );
        return rows.Select(row => (new FileKey(row.Key), new Fingerprint(row.Fingerprint), row.Size)).ToList();
    }

    /// <summary>Those of <paramref name="keys"/> whose replica at <paramref name="node"/> is in none of the states, or absent.</summary>
    public async Task<IReadOnlyList<FileKey>> NotInStateAsync(
        NodeId node,
        IReadOnlyCollection<FileKey> keys,
        ReplicaState[] states,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT k.file_key FROM unnest(@keys) AS k(file_key)
            WHERE NOT EXISTS (
                SELECT FROM filetransfer.replicas r
                WHERE r.node_id = @node AND r.file_key = k.file_key AND r.state = ANY(@states)
            )
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<byte[]>(
            new CommandDefinition(
                sql,
                new
                {
                    node = node.Value,
                    keys = keys.Select(key => key.ToArray()).ToArray(),
                    states = states.Select(ReplicaTransitions.NameOf).ToArray(),
                },
                cancellationToken: cancellationToken
            )
        );
        return rows.Select(row => new FileKey(row)).ToList();
    }

    /// <summary>Whether a file of this node, other than <paramref name="except"/>, has this content stored.</summary>
    public async Task<bool> RefersToAsync(
        NodeId node,
        Fingerprint fingerprint,
        FileKey? except,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT EXISTS (
                SELECT FROM filetransfer.files f JOIN filetransfer.replicas r ON r.file_key = f.file_key
                WHERE f.fingerprint = @fingerprint AND r.node_id = @node AND r.state = 'stored'
                  AND (@except::bytea IS NULL OR f.file_key <> @except)
            )
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<bool>(
            new CommandDefinition(
                sql,
                new
                {
                    node = node.Value,
                    fingerprint = fingerprint.ToArray(),
                    except = except?.ToArray(),
                },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>Those of the contents that a file of this node refers to, in whatever state its replica is, except one that is being removed.</summary>
    public async Task<IReadOnlySet<Fingerprint>> ReferredToAsync(
        NodeId node,
        IReadOnlyCollection<Fingerprint> contents,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT DISTINCT f.fingerprint
            FROM filetransfer.files f JOIN filetransfer.replicas r ON r.file_key = f.file_key
            WHERE f.fingerprint = ANY(@contents) AND r.node_id = @node AND r.state <> 'removing'
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<byte[]>(
            new CommandDefinition(
                sql,
                new { node = node.Value, contents = contents.Select(content => content.ToArray()).ToArray() },
                cancellationToken: cancellationToken
            )
        );
        return rows.Select(row => new Fingerprint(row)).ToHashSet();
    }
}
