using FileTransfer.Bandwidth;
using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Cluster.Trust;

namespace FileTransfer.Downloads;

/// <summary>
/// The hosted worker: while the node has joined its cluster it runs the lanes, each on a session of its own that holds the advisory locks of
/// what it downloads, the removal lane, and the maintenance of the queue. Lanes that have nothing to do have no session.
/// </summary>
public sealed partial class ProcessFollowerDownloads(
    Database database,
    ClusterMembership membership,
    NodePulse pulse,
    StartupReconciler reconciler,
    OrphanCollector orphans,
    DownloadLane lane,
    RemovalLane removal,
    QueueMaintenance maintenance,
    DownloadEngine engine,
    TransferLimits limits,
    QueueSignal signal,
    OutsideSources outside,
    LivePeers peers,
    TrustedKeys trust,
    LaneAllowance allowance,
    PausedDownloads paused,
    ThisNode node,
    WorkerRegistry workers,
    IHostApplicationLifetime lifetime,
    IOptions<DownloadOptions> options,
    TimeProvider time,
    ILogger<ProcessFollowerDownloads> logger
) : BackgroundService
{
    private static readonly TimeSpan _afterFault = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _reconcileAgain = TimeSpan.FromSeconds(10);

    /// <summary>How long a lane without work keeps its session, and polls.</summary>
    private static readonly TimeSpan _sessionKept = TimeSpan.FromSeconds(10);

    private readonly AsyncAutoResetEvent _removals = new();
    private readonly TimeSpan _pollInterval =
        options.Value.PollInterval < _sessionKept ? options.Value.PollInterval : _sessionKept;
    private int _sessions;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Whoever has no session is woken for what is there: by a notification, or else by the node's heartbeat.
        using var waiting = pulse.Ask(QueueConditions.HasReady, signal.Set);
        using var unprovided = pulse.Ask(QueueConditions.HasUnprovidedDue, LookOutside);
        using var removing = pulse.Ask(QueueConditions.HasRemoving, _removals.Set);
        using var resuming = pulse.Ask(PausedDownloads.HasEnded, () => _ = paused.ResumeDueAsync());

        // Downloads stop when a stop begins; requests that others have running may take until the end of the drain.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        using var ready = database.Notifications.Subscribe(ReplicaNotifications.Ready, OnReady);
        using var ended = database.Notifications.Subscribe(ReplicaNotifications.Ended, OnEnded);
        limits.Changed += engine.ApplyLimits;
        peers.Revoked += engine.Revoke;
        trust.Changed += engine.RevokeNodes;
        try
        {
            await membership.RunWhileJoinedAsync(WorkAsync, stopping.Token);
        }
        finally
        {
            limits.Changed -= engine.ApplyLimits;
            peers.Revoked -= engine.Revoke;
            trust.Changed -= engine.RevokeNodes;
        }
    }

    private void LookOutside()
    {
        if (outside.AreThere)
        {
            signal.Set();
        }
    }

    private void OnReady(NodeId waiting)
    {
        if (waiting == node.Id)
        {
            signal.Set();
        }
    }

    private void OnEnded(EndedReplica ended)
    {
        if (ended.Node == node.Id)
        {
            engine.Abort(ended.Key);
            _removals.Set();
        }
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        await paused.FollowAsync(cancellationToken);
        var loops = Enumerable
            .Range(1, options.Value.Lanes)
            .Select(number => LoopAsync($"lane-{number}", lane.StepAsync, signal, number, cancellationToken))
            .Append(LoopAsync("removal", removal.StepAsync, _removals, number: 1, cancellationToken))
            .Append(maintenance.RunAsync(() => Volatile.Read(ref _sessions) > 0, cancellationToken))
            .Append(ReconcileAsync(cancellationToken));
        await Task.WhenAll(loops);
    }

    /// <summary>Beside the lanes, which have no need of it. Orphans are collected only once the folder agrees with the catalog.</summary>
    private async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        var worker = workers.Add("reconciliation", "compares disk and catalog after the node has joined");
        var isReconciled = false;
        while (true)
        {
            try
            {
                if (!isReconciled)
                {
                    await worker.RunAsync(() => reconciler.RunAsync(cancellationToken), cancellationToken);
                    isReconciled = true;
                }

                await orphans.RunAsync(cancellationToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException || DatabaseReach.IsFailure(e))
            {
                cancellationToken.ThrowIfCancellationRequested();
                Log.NotReconciled(logger, node.Id.Value, _reconcileAgain.TotalSeconds, e);
                await Task.Delay(_reconcileAgain, time, cancellationToken);
            }
        }
    }

    /// <summary>Steps until stopped, on one session after another, while as many lanes as <paramref name="number"/> may run.</summary>
    private async Task LoopAsync(
        string name,
        Func<LockConnection, CancellationToken, Task<bool>> step,
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

                await StepOnSessionAsync(name, step, hint, number, cancellationToken);
                await hint.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken);
                continue;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception lost) when (lost is LockConnectionLostException or NpgsqlException)
            {
                // A shortage is logged where it is reported.
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

    /// <summary>Steps until there has been nothing to do for a while, or the lane may not run any more.</summary>
    private async Task StepOnSessionAsync(
        string name,
        Func<LockConnection, CancellationToken, Task<bool>> step,
        AsyncAutoResetEvent hint,
        int number,
        CancellationToken cancellationToken
    )
    {
        var worker = workers.Add(name, name == "removal" ? "deletes what has been removed" : "downloads files");
        Interlocked.Increment(ref _sessions);
        try
        {
            // A session that met a fault is closed, and with it every lock it may still hold.
            await using var session = await database.OpenSessionAsync($"{node.Id}/{name}", cancellationToken);
            var workedAt = time.GetTimestamp();
            while (allowance.Allows(number) && time.GetElapsedTime(workedAt) < _sessionKept)
            {
                if (
                    await worker.RunAsync(() => step(session, cancellationToken), cancellationToken)
                    || await hint.WaitAsync(_pollInterval, time, cancellationToken)
                )
                {
                    workedAt = time.GetTimestamp();
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _sessions);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1661, LogLevel.Information, "{Node}/{Lane} lost its database session and opens another: {Reason}")]
        public static partial void SessionLost(ILogger logger, string node, string lane, string reason);

        [LoggerMessage(1662, LogLevel.Error, "{Node}/{Lane} hit an unexpected error; continuing on a new database session")]
        public static partial void Fault(ILogger logger, string node, string lane, Exception fault);

        [LoggerMessage(1663, LogLevel.Error, "Comparing disk and catalog failed on {Node}; retrying in {Seconds:0} s")]
        public static partial void NotReconciled(ILogger logger, string node, double seconds, Exception fault);
    }
}
