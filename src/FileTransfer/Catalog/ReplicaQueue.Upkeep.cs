using Dapper;
using Npgsql;

namespace FileTransfer.Catalog;

/// <content>What no lane does: replicas that come due, and those that a lost holder left.</content>
public sealed partial class ReplicaQueue
{
    /// <summary>
    /// Replicas made ready at once. Whatever comes new is claimed after them at the latest, however many wait for sources in vain.
    /// </summary>
    private const int DueAtOnce = 500;

    /// <summary>
    /// Makes ready what has backed off long enough, and puts back what a lost holder left behind: a replica that is
    /// <c>downloading</c> while <c>pg_locks</c> shows no such holder.
    /// </summary>
    /// <returns>How many replicas became ready.</returns>
    public async Task<int> UpkeepAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string due = """
            UPDATE filetransfer.replicas SET next_attempt_at = NULL, waits_for = NULL, wanted_at = clock_timestamp()
            WHERE node_id = @node AND file_key IN (
                SELECT file_key FROM filetransfer.replicas
                WHERE node_id = @node AND state = 'wanted' AND next_attempt_at <= clock_timestamp()
                ORDER BY next_attempt_at LIMIT @dueAtOnce
                FOR UPDATE SKIP LOCKED
            )
            """;
        const string orphans = """
            UPDATE filetransfer.replicas r
            SET state = 'wanted', holder = NULL, holder_pid = NULL, next_attempt_at = NULL,
                reason = 'its holder ' || coalesce(r.holder, '?') || ' was lost', changed_at = clock_timestamp()
            WHERE r.node_id = @node AND r.state = 'downloading' AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_locks l
                WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid = r.holder_pid
                  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
                  AND l.classid = ((r.lock_key >> 32) & 4294967295)::oid AND l.objid = (r.lock_key & 4294967295)::oid
            )
            """;
        return await connection.ExecuteAsync(
            new CommandDefinition(
                due + ";\n" + orphans,
                new { node = node.Value, dueAtOnce = DueAtOnce },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>Makes ready what waits for a source that did not answer: one answers again.</summary>
    /// <returns>How many replicas became ready.</returns>
    public Task<int> WakeForSourceAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.replicas SET next_attempt_at = NULL, waits_for = NULL
            WHERE node_id = @node AND state = 'wanted' AND next_attempt_at IS NOT NULL AND waits_for = 'source'
            """;
        return connection.ExecuteAsync(
            new CommandDefinition(sql, new { node = node.Value }, cancellationToken: cancellationToken)
        );
    }
}
