namespace FileTransfer.Catalog.Replicas;

/// <content>What no lane does: replicas that come due, and those that a lost holder left.</content>
public sealed partial class ReplicaQueue
{
    /// <summary>
    /// Replicas made ready at once. Whatever comes new is claimed after them at the latest, however many wait for sources in vain.
    /// </summary>
    private const int DueAtOnce = 500;

    /// <summary>Above what a replica waits for room, or for a lock.</summary>
    private static readonly TimeSpan _leastRetryCap = TimeSpan.FromSeconds(10);

    /// <summary>Above what a replica waits for a source or a permit of one.</summary>
    private static readonly TimeSpan _sourceCap = TimeSpan.FromMinutes(15);

    /// <summary>Above what a replica without a provider waits to be looked for.</summary>
    private static readonly TimeSpan _providerCap = TimeSpan.FromMinutes(45);

    /// <summary>
    /// Makes ready what has backed off long enough, and puts back what a lost holder left behind: a replica that is
    /// <c>downloading</c> while <c>pg_locks</c> shows no such holder.
    /// </summary>
    /// <param name="connection">Of the pool.</param>
    /// <param name="retryCap">No failed attempt is tried again later than this from now, whatever clock wrote down when.</param>
    /// <param name="cancellationToken">Leaves what was done.</param>
    /// <returns>How many replicas became ready.</returns>
    public async Task<int> MaintainAsync(NpgsqlConnection connection, TimeSpan retryCap, CancellationToken cancellationToken)
    {
        // The node is named inside only: outside as well, a server whose statistics are of before reads all rows of the node, for each in turn.
        const string tooFar = """
            UPDATE filetransfer.replicas
            SET next_attempt_at = now() + random() * CASE WHEN waits_for IS NULL THEN @retryCap ELSE @sourceCap END
            WHERE (node_id, file_key) IN (
                SELECT node_id, file_key FROM filetransfer.replicas
                WHERE node_id = @node AND state = 'wanted' AND next_attempt_at IS NOT NULL AND waits_for IS DISTINCT FROM 'provider'
                  AND next_attempt_at > now() + least(@retryCap, @sourceCap) AND next_attempt_at < 'infinity'
                  AND (waits_for IS NULL AND next_attempt_at > now() + @retryCap OR next_attempt_at > now() + @sourceCap)
                FOR UPDATE SKIP LOCKED
            );
            UPDATE filetransfer.replicas SET next_attempt_at = now() + random() * @providerCap
            WHERE (node_id, file_key) IN (
                SELECT node_id, file_key FROM filetransfer.replicas
                WHERE node_id = @node AND state = 'wanted' AND next_attempt_at IS NOT NULL AND waits_for = 'provider'
                  AND next_attempt_at > now() + @providerCap
                FOR UPDATE SKIP LOCKED
            )
            """;
        const string due = """
            UPDATE filetransfer.replicas SET next_attempt_at = NULL, waits_for = NULL, wanted_at = clock_timestamp()
            WHERE (node_id, file_key) IN (
                SELECT node_id, file_key FROM filetransfer.replicas
                WHERE node_id = @node AND state = 'wanted' AND next_attempt_at <= now() AND waits_for IS DISTINCT FROM 'provider'
                ORDER BY next_attempt_at LIMIT @dueAtOnce
                FOR UPDATE SKIP LOCKED
            )
            """;
        const string orphans = $"""
            UPDATE filetransfer.replicas o
            SET state = 'wanted', holder = NULL, holder_pid = NULL, next_attempt_at = NULL,
                reason = 'its holder ' || coalesce(o.holder, '?') || ' was lost', changed_at = clock_timestamp()
            WHERE (o.node_id, o.file_key) IN (
                SELECT r.node_id, r.file_key FROM filetransfer.replicas r
                WHERE r.node_id = @node AND r.state = 'downloading' AND NOT {ReplicaSql.IsHeld}
                FOR UPDATE SKIP LOCKED
            )
            """;
        var parameters = new
        {
            node,
            retryCap = retryCap > _leastRetryCap ? retryCap : _leastRetryCap,
            sourceCap = _sourceCap,
            providerCap = _providerCap,
        };
        await connection.ExecuteAsync(tooFar, parameters, cancellationToken);
        return await connection.ExecuteAsync($"{due};\n{orphans}", new { node, dueAtOnce = DueAtOnce }, cancellationToken);
    }

    /// <summary>Makes ready what waits for a source that did not answer: one answers again.</summary>
    /// <returns>How many replicas became ready.</returns>
    public Task<int> WakeForSourceAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.replicas SET next_attempt_at = NULL, waits_for = NULL
            WHERE node_id = @node AND state = 'wanted' AND next_attempt_at IS NOT NULL AND waits_for IS DISTINCT FROM 'provider'
              AND waits_for = 'source'
            """;
        return connection.ExecuteAsync(sql, new { node }, cancellationToken);
    }

    /// <summary>
    /// Corrects the times of this node's replicas that a clock wrote down which was ahead: when the database's clock has jumped,
    /// and when the node joins, for it may have jumped before. Waits are corrected by <see cref="MaintainAsync"/>, all the time.
    /// </summary>
    /// <returns>How many were corrected.</returns>
    public Task<int> CorrectTimesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.replicas SET wanted_at = least(wanted_at, now()), changed_at = least(changed_at, now())
            WHERE node_id = @node AND state = 'wanted' AND (wanted_at > now() + interval '1 second' OR changed_at > now() + interval '1 second');
            UPDATE filetransfer.replicas SET changed_at = now()
            WHERE node_id = @node AND state = 'removing' AND changed_at > now() + interval '1 second'
            """;
        return connection.ExecuteAsync(sql, new { node }, cancellationToken);
    }
}
