using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Cluster;
using FileTransfer.Feed;

namespace FileTransfer.Operations;

/// <summary>What each node was like, minute by minute, for thirty days: owner of <c>filetransfer.node_history</c>.</summary>
/// <remarks>
/// A node writes its minute with a heartbeat that is due anyway. An hour of a node is one row of some 1.3 KB; however many nodes there are, the
/// table keeps the newest <see cref="MostHours"/> of them, about 13 MB.
/// </remarks>
internal sealed class NodeHistory(Database database, ChunkStore store, NodePulse pulse, TimeProvider time) : IHostedService
{
    public const int MostDays = 30;

    /// <summary>Thirty days of thirteen nodes.</summary>
    private const int MostHours = 10_000;

    /// <summary>Files that are not here are counted no further than this.</summary>
    private const int MostLacking = 100_000;

    private const int BytesPerUnit = 1 << 20;

    /// <summary>As many as a plot has room for.</summary>
    private const int Points = 240;

    private const string Hour = "date_trunc('hour', now())";
    private const string Minute = "extract(minute FROM now())::integer";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        pulse.BesideEachMinute(Statement);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>What every node was like in the last hours: of each step the highest lag, and the least that was free.</summary>
    public async Task<HistoryResource> ReadAsync(int hours, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT node_id, floor(extract(epoch FROM hour + m * interval '1 minute' - @from) / @step)::integer AS point,
                max(lag[m]), max(lacking[m]), min(disk_free[m])
            FROM filetransfer.node_history CROSS JOIN generate_series(0, 59) m
            WHERE hour > @from - interval '1 hour' AND hour <= clock_timestamp() AND hour + m * interval '1 minute' >= @from AND lag[m] IS NOT NULL
            GROUP BY node_id, point ORDER BY node_id
            """;
        var step = TimeSpan.FromMinutes(Math.Max(1, hours * 60.0 / Points));
        var from = time.GetUtcNow().UtcDateTime - TimeSpan.FromHours(hours);
        var rows = await database.QueryAsync<(string Node, int Point, int Lag, int Lacking, int? DiskFree)>(
            sql,
            new { from, step = step.TotalSeconds },
            cancellationToken
        );
        var points = (int)(TimeSpan.FromHours(hours) / step) + 1;
        var nodes = rows.Where(row => row.Point < points)
            .GroupBy(row => row.Node, StringComparer.Ordinal)
            .Select(node =>
            {
                var history = new NodeHistoryResource(node.Key, new long?[points], new long?[points], new long?[points]);
                foreach (var (_, point, lag, lacking, free) in node)
                {
                    (history.Lag[point], history.Lacking[point]) = (lag, lacking);
                    history.DiskFree[point] = (long?)free * BytesPerUnit;
                }

                return history;
            });
        return new HistoryResource(from, step.TotalSeconds, [.. nodes]);
    }

    /// <summary>This minute of this node; what is too old goes with the first one of an hour.</summary>
    private string Statement() =>
        $"""
            kept AS (
                INSERT INTO filetransfer.node_history AS h (node_id, hour, lag[{Minute}], lacking[{Minute}], disk_free[{Minute}])
                SELECT @node, {Hour}, least(({FeedLag.OfNodeSql}), 2147483647)::integer,
                    (SELECT count(*) FROM ({ReplicaTable.LackingSql} LIMIT {MostLacking}) lacking)::integer, {FreeUnits()}
                FROM filetransfer.nodes WHERE node_id = @node AND instance = @instance
                ON CONFLICT (node_id, hour) DO UPDATE
                    SET lag[{Minute}] = EXCLUDED.lag[{Minute}], lacking[{Minute}] = EXCLUDED.lacking[{Minute}],
                        disk_free[{Minute}] = EXCLUDED.disk_free[{Minute}]
            ), forgotten AS (
                DELETE FROM filetransfer.node_history WHERE (node_id, hour) IN (
                    SELECT node_id, hour FROM filetransfer.node_history
                    WHERE hour < greatest(
                            now() - interval '{MostDays} days',
                            (SELECT hour FROM filetransfer.node_history ORDER BY hour DESC OFFSET {MostHours} LIMIT 1)
                        )
                        AND NOT EXISTS (SELECT FROM filetransfer.node_history WHERE node_id = @node AND hour = {Hour})
                    -- The heartbeat waits for nobody.
                    FOR UPDATE SKIP LOCKED
                )
            )
            """;

    private string FreeUnits()
    {
        try
        {
            return (store.FreeSpace().BytesFree / BytesPerUnit).ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "NULL::integer"; // The check of the disk says why.
        }
    }
}
