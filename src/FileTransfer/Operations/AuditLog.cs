using System.Threading.Channels;

namespace FileTransfer.Operations;

/// <param name="Action">Method and route.</param>
/// <param name="Target">The path that was asked for.</param>
/// <param name="Problem">The slug of the problem that was answered; null where none was.</param>
public sealed record AuditEntry(
    DateTimeOffset At,
    string? Who,
    string? Address,
    string Action,
    string Target,
    int Status,
    string? Problem,
    string RequestId
);

/// <summary>Who changed something, or was refused: owner of <c>filetransfer.audit</c>.</summary>
/// <remarks>
/// No request waits for it: entries are gathered for a moment and written together, and wait here while the database is away. Of each route the
/// newest <see cref="KeptOfAction"/> are kept, so that many uploads do not push out who removed a node.
/// </remarks>
public sealed partial class AuditLog(
    Database database,
    NodeId here,
    WorkerRegistry workers,
    TimeProvider time,
    ILogger<AuditLog> logger
) : BackgroundService
{
    /// <summary>So many entries of one route are kept.</summary>
    internal const int KeptOfAction = 10_000;

    /// <summary>So many wait here while the database is away; what comes on top of them is lost, and that is said.</summary>
    private const int MostWaiting = 10_000;

    private const int MostAtOnce = 500;
    private const int WrittenBetweenTrims = 1000;

    private static readonly TimeSpan _gather = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _lastWords = TimeSpan.FromSeconds(2);

    private readonly Channel<AuditEntry> _waiting = Channel.CreateBounded<AuditEntry>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true }
    );

    private readonly HashSet<string> _untrimmed = new(StringComparer.Ordinal);
    private long _lost;
    private int _written;

    public void Add(AuditEntry entry)
    {
        if (!_waiting.Writer.TryWrite(entry))
        {
            Interlocked.Increment(ref _lost);
        }
    }

    /// <summary>The newest entries of all nodes.</summary>
    /// <param name="before">Only entries with lower ids.</param>
    /// <param name="about">Only entries whose target has this text in it.</param>
    /// <param name="limit">So many at most.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public Task<IReadOnlyList<AuditEntryResource>> ReadAsync(
        long? before,
        string? about,
        int limit,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT id, at, node_id AS node, who, address, action, target, status, problem, request_id
            FROM filetransfer.audit
            WHERE id < @before AND (@about::text IS NULL OR strpos(target, @about) > 0)
            ORDER BY id DESC LIMIT @limit
            """;
        return database.QueryAsync<AuditEntryResource>(
            sql,
            new
            {
                before = before ?? long.MaxValue,
                about,
                limit,
            },
            cancellationToken
        );
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _waiting.Writer.TryComplete();
        return base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var worker = workers.Add("audit", "writes the audit log", canPause: false);
        worker.Progress = () => Interlocked.Read(ref _lost) is > 0 and var lost ? $"{lost} entries were lost" : null;
        var batch = new List<AuditEntry>(MostAtOnce);
        while (await _waiting.Reader.WaitToReadAsync(CancellationToken.None))
        {
            await Task.Delay(_gather, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (batch.Count < MostAtOnce && _waiting.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
            }

            while (!await worker.RunAsync(() => TryWriteAsync(batch, stoppingToken), CancellationToken.None))
            {
                await Task.Delay(_pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            batch.Clear();
        }
    }

    /// <returns>Whether they are done with: written, or given up because the node stops.</returns>
    private async Task<bool> TryWriteAsync(List<AuditEntry> batch, CancellationToken stopping)
    {
        using var patience = new CancellationTokenSource();
        await using var last = stopping.Register(() => patience.CancelAfter(_lastWords));
        try
        {
            await database.WaitUntilReadyAsync(patience.Token);
            await WriteAsync(batch, patience.Token);
            if (Interlocked.Exchange(ref _lost, 0) is > 0 and var lost)
            {
                Log.Lost(logger, lost, "more came than could be kept while the database was away");
            }

            await TrimAsync(batch, patience.Token);
            return true;
        }
        catch (Exception e)
            when (e is OperationCanceledException or FatalStartException
                || (stopping.IsCancellationRequested && DatabaseReach.IsFailure(e))
            )
        {
            Log.Lost(logger, batch.Count + Interlocked.Exchange(ref _lost, 0), $"the node stops: {DatabaseReach.CauseOf(e)}");
            return true;
        }
        catch (Exception e) when (DatabaseReach.IsFailure(e))
        {
            return false;
        }
    }

    private Task<int> WriteAsync(List<AuditEntry> batch, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO filetransfer.audit (node_id, at, who, address, action, target, status, problem, request_id)
            SELECT @here, * FROM unnest(@at, @who, @address, @action, @target, @status, @problem, @request)
            """;
        return database.ExecuteAsync(
            sql,
            new
            {
                here,
                at = batch.Select(entry => entry.At.UtcDateTime).ToArray(),
                who = batch.Select(entry => entry.Who).ToArray(),
                address = batch.Select(entry => entry.Address).ToArray(),
                action = batch.Select(entry => entry.Action).ToArray(),
                target = batch.Select(entry => entry.Target).ToArray(),
                status = batch.Select(entry => entry.Status).ToArray(),
                problem = batch.Select(entry => entry.Problem).ToArray(),
                request = batch.Select(entry => entry.RequestId).ToArray(),
            },
            cancellationToken
        );
    }

    private async Task TrimAsync(List<AuditEntry> batch, CancellationToken cancellationToken)
    {
        const string sql = """
            DELETE FROM filetransfer.audit a USING unnest(@actions) one(action)
            WHERE a.action = one.action AND a.id <= (
                SELECT b.id FROM filetransfer.audit b WHERE b.action = one.action ORDER BY b.id DESC OFFSET @kept LIMIT 1
            )
            """;
        _untrimmed.UnionWith(batch.Select(entry => entry.Action));
        _written += batch.Count;
        if (_written >= WrittenBetweenTrims)
        {
            await database.ExecuteAsync(sql, new { actions = _untrimmed.ToArray(), kept = KeptOfAction }, cancellationToken);
            _untrimmed.Clear();
            _written = 0;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1801, LogLevel.Warning, "{Count} entries of the audit log were lost: {Reason}")]
        public static partial void Lost(ILogger logger, long count, string reason);
    }
}
