using System.Threading.Channels;
using FileTransfer.Cluster.Peers;

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
)
{
    public string? TraceId { get; init; }

    /// <summary>What has this in common is one entry, its first, and is counted; null for what is an entry of its own.</summary>
    public string? Once { get; init; }

    internal int Times { get; init; } = 1;

    /// <summary>The same, told once of this caller in a period.</summary>
    /// <param name="period">The part of the time that is the same in all of it.</param>
    /// <param name="what">What is told.</param>
    public AuditEntry OnceA(string period, string what) =>
        this with
        {
            Once = $"{At.ToString(period, CultureInfo.InvariantCulture)} {Who} {Address} {what}",
        };
}

/// <summary>Who changed something, or was refused: owner of <c>filetransfer.audit</c>.</summary>
/// <remarks>
/// No request waits for it: entries are gathered for a moment and written together, and wait here while the database is away. Of what is told
/// once, one waits, however often it comes. Of each route the newest <see cref="KeptOfAction"/> are kept, so that many uploads do not push out who removed a node.
/// </remarks>
public sealed partial class AuditLog(
    Database database,
    PeerClient peers,
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

    private const int Refused = StatusCodes.Status403Forbidden;
    private const int MostAtOnce = 500;
    private const int WrittenBetweenTrims = 1000;

    private static readonly TimeSpan _gather = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _lastWords = TimeSpan.FromSeconds(2);

    private readonly Channel<AuditEntry> _waiting = Channel.CreateBounded<AuditEntry>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true }
    );

    private readonly ConcurrentDictionary<string, int> _times = new(StringComparer.Ordinal);
    private readonly HashSet<string> _untrimmed = new(StringComparer.Ordinal);
    private long _lost;
    private int _written;

    public void Add(AuditEntry entry)
    {
        var isCounted = entry.Once is { } once && _times.AddOrUpdate(once, 1, static (_, times) => times + 1) > 1;
        if (!isCounted && !_waiting.Writer.TryWrite(entry))
        {
            Interlocked.Add(ref _lost, TimesOf(entry));
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
            SELECT id, at, node_id AS node, who, address, action, target, status, problem, request_id, trace_id, times
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
        peers.AddressDoubted += AddDoubt;
        var batch = new List<AuditEntry>(MostAtOnce);
        while (await _waiting.Reader.WaitToReadAsync(CancellationToken.None))
        {
            await Task.Delay(_gather, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (batch.Count < MostAtOnce && _waiting.Reader.TryRead(out var entry))
            {
                batch.Add(entry with { Times = TimesOf(entry) });
            }

            while (!await worker.RunAsync(() => TryWriteAsync(batch, stoppingToken), CancellationToken.None))
            {
                await Task.Delay(_pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            batch.Clear();
        }
    }

    /// <summary>An address that somebody gave for a node's, a row of the database or an answer, and where no node proves itself.</summary>
    private void AddDoubt(string address)
    {
        var doubt = new AuditEntry(time.GetUtcNow(), null, null, "doubt", address, Refused, "address-not-proven", "");
        Add(doubt.OnceA("yyyy-MM-dd", $"doubt at {here} of {address}"));
    }

    private int TimesOf(AuditEntry entry) => entry.Once is { } once && _times.TryRemove(once, out var times) ? times : 1;

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
            INSERT INTO filetransfer.audit AS known
                (node_id, at, who, address, action, target, status, problem, request_id, trace_id, once, times)
            SELECT @here, * FROM unnest(@at, @who, @address, @action, @target, @status, @problem, @request, @trace, @once, @times)
            ON CONFLICT (once) DO UPDATE SET times = known.times + EXCLUDED.times
            """;
        // No row is written twice by a statement.
        var entries = batch
            .Where(entry => entry.Once is null)
            .Concat(
                batch
                    .Where(entry => entry.Once is not null)
                    .GroupBy(
                        entry => entry.Once,
                        (_, same) => same.First() with { Times = same.Sum(entry => entry.Times) },
                        StringComparer.Ordinal
                    )
            )
            .OrderBy(entry => entry.At)
            .ToList();
        return database.ExecuteAsync(
            sql,
            new
            {
                here,
                at = entries.Select(entry => entry.At.UtcDateTime).ToArray(),
                who = entries.Select(entry => entry.Who).ToArray(),
                address = entries.Select(entry => entry.Address).ToArray(),
                action = entries.Select(entry => entry.Action).ToArray(),
                target = entries.Select(entry => entry.Target).ToArray(),
                status = entries.Select(entry => entry.Status).ToArray(),
                problem = entries.Select(entry => entry.Problem).ToArray(),
                request = entries.Select(entry => entry.RequestId).ToArray(),
                trace = entries.Select(entry => entry.TraceId).ToArray(),
                once = entries.Select(entry => entry.Once).ToArray(),
                times = entries.Select(entry => entry.Times).ToArray(),
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
