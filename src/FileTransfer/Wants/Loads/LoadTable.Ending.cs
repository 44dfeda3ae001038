using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Wants.Loads;

/// <content>The end of a load, and what is told of it.</content>
internal sealed partial class LoadTable
{
    /// <summary>Files of a load that are told of one by one.</summary>
    private const int MostTold = 100;

    /// <summary>The first files that are not stored, those that cannot be had before others; without what sources said.</summary>
    public Task<IReadOnlyList<(string Label, FileKey Key, string State, string? Reason)>> MissingAsync(
        LoadRow load,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            SELECT l.label, l.file_key, CASE
                    WHEN f.file_key IS NULL THEN 'unknown' WHEN f.state = 'removed' THEN 'removed' ELSE coalesce(r.state, 'absent')
                END,
                CASE WHEN f.state IS DISTINCT FROM 'removed' THEN coalesce(r.reason, l.reason) END
            FROM {OfLoad}
            WHERE l.load_id = @load AND r.state IS DISTINCT FROM 'stored'
            ORDER BY f.state = 'removed' DESC NULLS LAST, l.round DESC, r.state = 'failed' DESC NULLS LAST, l.label LIMIT @most
            """;
        var parameters = new
        {
            node,
            load = load.LoadId,
            most = MostTold,
        };
        return database.QueryAsync<(string, FileKey, string, string?)>(sql, parameters, cancellationToken);
    }

    public Task<IReadOnlyList<(string Label, FileKey Key)>> LabelsAsync(LoadRow load, CancellationToken cancellationToken) =>
        database.QueryAsync<(string, FileKey)>(
            "SELECT label, file_key FROM filetransfer.load_files WHERE load_id = @load ORDER BY label",
            new { load = load.LoadId },
            cancellationToken
        );

    public Task<IReadOnlyList<LoadSource>> SourcesAsync(LoadRow load, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT source, faults, corrupt, wasted_bytes, '0x' || encode(file_key, 'hex') AS key, reason FROM filetransfer.load_sources
            WHERE load_id = @load ORDER BY corrupt DESC, wasted_bytes DESC, source
            """;
        return database.QueryAsync<LoadSource>(sql, new { load = load.LoadId }, cancellationToken);
    }

    /// <summary>Adds what went wrong with sources to the loads that run and have the files.</summary>
    public Task BlameAsync(IReadOnlyCollection<SourceTroubles> troubles, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO filetransfer.load_sources AS s (load_id, source, faults, corrupt, wasted_bytes, file_key, reason)
            SELECT load_id, source, sum(faults), sum(given.corrupt), sum(wasted), (array_agg(file_key ORDER BY given.corrupt DESC))[1],
                (array_agg(given.reason ORDER BY given.corrupt DESC))[1]
            FROM unnest(@keys, @sources, @faults, @corrupt, @wasted, @reasons)
                AS given (file_key, source, faults, corrupt, wasted, reason)
            JOIN LATERAL (
                SELECT DISTINCT load_id FROM filetransfer.load_files l JOIN filetransfer.loads USING (load_id)
                WHERE l.file_key = given.file_key AND node_id = @node AND ended_at IS NULL
            ) concerned ON true
            GROUP BY load_id, source
            ON CONFLICT (load_id, source) DO UPDATE
                SET faults = s.faults + EXCLUDED.faults, corrupt = s.corrupt + EXCLUDED.corrupt,
                    wasted_bytes = s.wasted_bytes + EXCLUDED.wasted_bytes,
                    file_key = CASE WHEN EXCLUDED.corrupt > 0 OR s.corrupt = 0 THEN EXCLUDED.file_key ELSE s.file_key END,
                    reason = CASE WHEN EXCLUDED.corrupt > 0 OR s.corrupt = 0 THEN EXCLUDED.reason ELSE s.reason END
            """;
        var parameters = new
        {
            node,
            keys = troubles.Select(one => one.File).ToParameter(),
            sources = troubles.Select(one => one.Source).ToArray(),
            faults = troubles.Select(one => one.Faults).ToArray(),
            corrupt = troubles.Select(one => one.Corrupt).ToArray(),
            wasted = troubles.Select(one => one.WastedBytes).ToArray(),
            reasons = troubles.Select(one => one.Reason).ToArray(),
        };
        return database.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>Ends the load.</summary>
    /// <returns>False where it has ended already, or not all of its files are stored though it is to end so: nothing was done.</returns>
    public async Task<bool> EndAsync(
        LoadRow load,
        string outcome,
        string? reason,
        string? report,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            UPDATE filetransfer.loads SET ended_at = clock_timestamp(), outcome = @outcome, reason = @reason, report = @report
            WHERE load_id = @load AND ended_at IS NULL AND (
                @outcome <> 'stored' OR NOT EXISTS (SELECT FROM {OfLoad} WHERE l.load_id = @load AND r.state IS DISTINCT FROM 'stored')
            )
            """;
        var parameters = new
        {
            node,
            load = load.LoadId,
            outcome,
            reason,
            report,
        };
        return await database.ExecuteAsync(sql, parameters, cancellationToken) == 1;
    }

    /// <summary>
    /// After its end: pins what is stored, and gives up what is not and nobody else wants. What was done before a failure stays done.
    /// </summary>
    public async Task SettleAsync(LoadRow load, CancellationToken cancellationToken)
    {
        const string page = """
            SELECT DISTINCT file_key FROM filetransfer.load_files
            WHERE load_id = @load AND file_key > @after ORDER BY file_key LIMIT @atOnce
            """;
        const string settled = """
            UPDATE filetransfer.loads SET settled = true WHERE load_id = @load;
            DELETE FROM filetransfer.loads WHERE load_id = @load AND outcome = 'replaced'
            """;
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        for (byte[] after = []; ; )
        {
            var parameters = new
            {
                load = load.LoadId,
                after,
                atOnce = AtOnce,
            };
            var keys = (await connection.QueryAsync<FileKey>(page, parameters, cancellationToken)).AsList();
            if (keys.Count == 0)
            {
                break;
            }

            await SettleAsync(connection, load, keys, cancellationToken);
            after = keys[^1].ToArray();
        }

        await connection.ExecuteAsync(settled, new { load = load.LoadId }, cancellationToken);
    }

    /// <summary>Forgets loads that ended long ago. None has ended at a time that is yet to come, whatever the clock said then.</summary>
    public Task ForgetAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.loads SET ended_at = now() WHERE node_id = @node AND ended_at > now();
            DELETE FROM filetransfer.loads WHERE node_id = @node AND settled AND ended_at < now() - @remembered
            """;
        return database.ExecuteAsync(sql, new { node, remembered = Remembered }, cancellationToken);
    }

    /// <summary>The clock that deadlines were written down by has jumped: they are as far away as before.</summary>
    public Task ShiftAsync(TimeSpan by, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.loads SET begun_at = begun_at + @by, deadline = deadline + @by, round_at = round_at + @by
            WHERE node_id = @node AND ended_at IS NULL
            """;
        return database.ExecuteAsync(sql, new { node, by }, cancellationToken);
    }

    private async Task SettleAsync(
        NpgsqlConnection connection,
        LoadRow load,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var reason = $"the load '{load.Name}' has ended, and nobody else wants it here";
        var ended = await ReplicaTransitions.WithdrawAsync(connection, node, keys, reason, cancellationToken);
        await ReplicaTransitions.PinStoredAsync(connection, node, keys, cancellationToken);
        await ReplicaTransitions.ClearPriorityAsync(connection, node, keys, load.Rank, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        foreach (var key in ended)
        {
            database.Notifications.Send(ReplicaNotifications.Ended, new EndedReplica(node, key));
        }
    }
}
