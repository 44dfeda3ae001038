using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Concurrency;
using FileTransfer.Downloads.Sources;
using FileTransfer.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FileTransfer.Downloads;

/// <summary>
/// The hosted worker: while the node is present it runs the lanes, each on a session of its own that holds the advisory lock of one file
/// at a time, the removal lane, and the upkeep of the queue.
/// </summary>
public sealed partial class ProcessFollowerDownloads(
    Database database,
    ClusterMembership presence,
    StartupReconciler repair,
    OrphanCollector orphans,
    DownloadLane lane,
    RemovalLane removal,
    ReplicaQueue queue,
    DownloadEngine transfers,
    FailedFiles failed,
    LocalContents local,
    OutsideSources outside,
    QueueSignal signal,
    DeferralSignal deferral,
    LaneAllowance allowance,
    SourceRegistry sources,
    ThisNode node,
    IHostApplicationLifetime lifetime,
    IOptions<DownloadOptions> options,
    TimeProvider time,
    ILogger<ProcessFollowerDownloads> logger
) : BackgroundService
{
    private static readonly TimeSpan _afterFault = TimeSpan.FromSeconds(1);

    /// <summary>After a deferral: longer than a commit takes that it may have missed.</summary>
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>How often the own folder is asked for what has been looked for elsewhere in vain.</summary>
    private static readonly TimeSpan _lookHere = TimeSpan.FromSeconds(30);

    private readonly AsyncAutoResetEvent _removals = new();
    private volatile bool _timesAreRight;

    /// <summary>Whether sources that do not say what they have are asked for what no node has; lanes look for it then.</summary>
    private readonly bool _asksShares = sources.Configured.Count > 0;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Downloads stop when a stop begins; requests that others have running may take until the end of the drain.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        presence.Notified += OnNotified;
        database.Clock.Jumped += OnClockJumped;
        try
        {
            await presence.RunWhileJoinedAsync(WorkAsync, stopping.Token);
        }
        finally
        {
            presence.Notified -= OnNotified;
            database.Clock.Jumped -= OnClockJumped;
        }
    }

    private void OnNotified(string channel, string payload)
    {
        if (channel == ReplicaQueue.ReadyChannel && payload == node.Id.Value)
        {
            signal.Set();
        }
        else if (channel == ReplicaQueue.EndedChannel && payload.StartsWith(node.Id.Value + " ", StringComparison.Ordinal))
        {
            _removals.Set();
        }
    }

    private void OnClockJumped() => _timesAreRight = false;

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        var collecting = Task.CompletedTask;
        try
        {
            await repair.RunAsync(cancellationToken);
            collecting = orphans.RunAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk, as a rule: removals make room on it, so they must go on.
            Log.NotRepaired(logger, node.Id.Value, e);
        }

        var loops = Enumerable
            .Range(1, options.Value.Lanes)
            .Select(number => LoopAsync($"lane-{number}", lane.StepAsync, signal, number, cancellationToken))
            .Append(LoopAsync("removal", removal.StepAsync, _removals, number: 1, cancellationToken))
            .Append(UpkeepAsync(cancellationToken))
            .Append(DeferAsync(cancellationToken))
            .Append(collecting);
        await Task.WhenAll(loops);
    }

    /// <summary>Steps until stopped, on one session after another, while as many lanes as <paramref name="number"/> may run.</summary>
    private async Task LoopAsync(
        string name,
        Func<LockConnection, CancellationToken, Task<LaneStep>> step,
        AsyncAutoResetEvent hint,
        int number,
        CancellationToken cancellationToken
    )
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                while (!allowance.Allows(number))
                {
                    await Task.Delay(_afterFault, time, cancellationToken);
                }

                // A session that met a fault is closed, and with it every lock it may still hold.
                await using var session = await database.OpenSessionAsync($"{node.Id}/{name}", cancellationToken);
                while (allowance.Allows(number))
                {
                    if (await step(session, cancellationToken) == LaneStep.Idle)
                    {
                        await hint.WaitAsync(options.Value.PollInterval, time, cancellationToken);
                    }
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception lost) when (lost is LockConnectionLostException or NpgsqlException)
            {
                // What it takes note of it tells itself; and an outage is told, once, by who keeps the node's own session.
                if (!allowance.Report(lost))
                {
                    Log.SessionLost(logger, node.Id.Value, name, lost.Message);
                }
            }
            catch (Exception fault)
            {
                Log.Fault(logger, node.Id.Value, name, fault);
            }

            await Task.Delay(_afterFault, time, cancellationToken);
        }
    }

    /// <summary>
    /// Makes due replicas ready and takes back what lost holders left, every poll interval; and at once those that wait for a source, when
    /// one answers again.
    /// </summary>
    private async Task UpkeepAsync(CancellationToken cancellationToken)
    {
        var sourceAnswers = false;
        var lookedHere = 0L;
        _timesAreRight = false;
        var hasLookedOutside = !outside.AreConfigured;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await failed.NoticeReturnsAsync(cancellationToken);
                await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
                if (!_timesAreRight)
                {
                    _timesAreRight = true;
                    _timesAreRight = await CorrectTimesAsync(connection, cancellationToken);
                }

                var ready = await queue.MaintainAsync(connection, options.Value.BackoffCap, cancellationToken);
                ready += _asksShares ? 0 : await queue.LookForProvidersAsync(connection, cancellationToken);
                if (time.GetElapsedTime(lookedHere) > _lookHere || lookedHere == 0)
                {
                    ready += await local.LookAsync(connection, cancellationToken);
                    lookedHere = time.GetTimestamp();
                }

                ready += await failed.LookAsync(connection, cancellationToken);
                if (!hasLookedOutside)
                {
                    ready += await ReplicaTable.LookOutsideAsync(connection, node.Id, cancellationToken);
                    hasLookedOutside = true;
                }

                if (sourceAnswers)
                {
                    ready += await queue.WakeForSourceAsync(connection, cancellationToken);
                    sourceAnswers = false;
                }

                if (ready > 0)
                {
                    signal.Set();
                }
            }
            catch (NpgsqlException e)
            {
                // An outage is told, once, by who keeps the node's own session.
                if (!allowance.Report(e) && !DatabaseReach.IsAway(e))
                {
                    Log.UpkeepFailed(logger, node.Id.Value, e.Message);
                }
            }

            sourceAnswers |= await transfers.SourceAnswers.WaitAsync(options.Value.PollInterval, time, cancellationToken);
        }
    }

    /// <returns>False when it has to be done again.</returns>
    private async Task<bool> CorrectTimesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            if (await queue.CorrectTimesAsync(connection, cancellationToken) is > 0 and var corrected)
            {
                Log.TimesCorrected(logger, corrected, node.Id.Value);
            }

            return true;
        }
        catch (PostgresException e)
        {
            Log.UpkeepFailed(logger, node.Id.Value, e.Message);
            return false;
        }
    }

    /// <summary>
    /// Defers in bulk what nobody has, once a lane has come upon such; and looks a moment later whether somebody got it stored meanwhile.
    /// </summary>
    private async Task DeferAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var isTold = await deferral.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken);
            try
            {
                while (isTold)
                {
                    await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
                    isTold = await queue.DeferUnprovidedAsync(connection, _asksShares, cancellationToken) > 0;
                    await local.LookAsync(connection, cancellationToken);
                    signal.Set();
                }

                await Task.Delay(_lookAgain, time, cancellationToken);
                if (!_asksShares)
                {
                    await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
                    if (await queue.LookForProvidersAsync(connection, cancellationToken) > 0)
                    {
                        signal.Set();
                    }
                }
            }
            catch (NpgsqlException e)
            {
                // An outage is told, once, by who keeps the node's own session.
                if (!allowance.Report(e) && !DatabaseReach.IsAway(e))
                {
                    Log.UpkeepFailed(logger, node.Id.Value, e.Message);
                }
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1660,
            LogLevel.Warning,
            "Corrected the times of {Count} replicas at {Node} that a clock of the database wrote down which was ahead"
        )]
        public static partial void TimesCorrected(ILogger logger, int count, string node);

        [LoggerMessage(1661, LogLevel.Information, "{Node}/{Lane} lost its database session and opens another: {Reason}")]
        public static partial void SessionLost(ILogger logger, string node, string lane, string reason);

        [LoggerMessage(1662, LogLevel.Error, "{Node}/{Lane} met a fault and goes on with a new database session")]
        public static partial void Fault(ILogger logger, string node, string lane, Exception fault);

        [LoggerMessage(
            1663,
            LogLevel.Error,
            "Disk and catalog of node {Node} could not be brought to agree; this is tried again when it joins its cluster the next time"
        )]
        public static partial void NotRepaired(ILogger logger, string node, Exception fault);

        [LoggerMessage(1664, LogLevel.Warning, "The queue of node {Node} could not be tended: {Reason}")]
        public static partial void UpkeepFailed(ILogger logger, string node, string reason);
    }
}
