using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cluster;
using FileTransfer.Cluster.Gossip;

namespace FileTransfer.Downloads;

/// <summary>Maintains the queue while there is something in it: makes ready what is due, and defers in bulk what nobody has.</summary>
public sealed partial class QueueMaintenance(
    Database database,
    NodePulse pulse,
    ReplicaQueue queue,
    DownloadEngine engine,
    FailedFiles failed,
    LocalContents local,
    OutsideSources outside,
    LivePeers peers,
    QueueSignal signal,
    DeferralSignal deferral,
    LaneAllowance allowance,
    DiskPressure disk,
    ThisNode node,
    WorkerRegistry workers,
    IOptions<DownloadOptions> options,
    TimeProvider time,
    ILogger<QueueMaintenance> logger
)
{
    /// <summary>After a deferral: longer than a commit takes that it may have missed.</summary>
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>How often the own folder is asked for what has been looked for elsewhere in vain.</summary>
    private static readonly TimeSpan _lookHere = TimeSpan.FromSeconds(30);

    private volatile bool _timesAreRight;
    private volatile bool _hasLookedOutside;
    private bool _sourceAnswers;
    private long? _lookedHereAt;

    /// <param name="isActive">Whether lanes are at work, or were a moment ago.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(Func<bool> isActive, CancellationToken cancellationToken)
    {
        _timesAreRight = false;
        _hasLookedOutside = false;
        _lookedHereAt = null;
        database.Clock.Jumped += OnClockJumped;
        peers.Appeared += OnPeerAppeared;
        using var unsettled = pulse.Ask(QueueConditions.HasUnsettled);
        try
        {
            await Task.WhenAll(
                MaintainAsync(() => unsettled.Holds || isActive(), cancellationToken),
                DeferAsync(cancellationToken)
            );
        }
        finally
        {
            database.Clock.Jumped -= OnClockJumped;
            peers.Appeared -= OnPeerAppeared;
        }
    }

    private void OnClockJumped() => _timesAreRight = false;

    private void OnPeerAppeared()
    {
        _hasLookedOutside = false;
        engine.SourceAnswers.Set();
    }

    /// <summary>Every poll interval; and at once when a source answers again that replicas wait for.</summary>
    private async Task MaintainAsync(Func<bool> isDue, CancellationToken cancellationToken)
    {
        var worker = workers.Add(
            "queue",
            "makes ready what has waited long enough, and takes back what lost holders left",
            options.Value.PollInterval
        );
        while (true)
        {
            if (isDue() || !_timesAreRight)
            {
                await TryAsync(() => worker.RunAsync(() => MakeReadyAsync(cancellationToken), cancellationToken));
            }

            if (!disk.AllowsDownloads() || disk.Shortage is not null)
            {
                await TryAsync(() => EmptyTrashAsync(cancellationToken));
            }

            _sourceAnswers |= await engine.SourceAnswers.WaitAsync(worker.Pace!.Value, time, cancellationToken);
        }
    }

    private async Task EmptyTrashAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        if (await queue.EmptyTrashEarlyAsync(connection, cancellationToken) is > 0 and var files)
        {
            Log.TrashEmptied(logger, files, node.Id.Value);
        }
    }

    /// <summary>Makes due replicas ready and takes back what lost holders left.</summary>
    private async Task MakeReadyAsync(CancellationToken cancellationToken)
    {
        await failed.NoticeReturnsAsync(cancellationToken);
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        if (!_timesAreRight)
        {
            _timesAreRight = true;
            _timesAreRight = await CorrectTimesAsync(connection, cancellationToken);
        }

        var ready = await queue.MaintainAsync(connection, options.Value.BackoffCap, cancellationToken);
        ready += outside.AreThere ? 0 : await queue.LookForProvidersAsync(connection, cancellationToken);
        if (_lookedHereAt is not { } at || time.GetElapsedTime(at) > _lookHere)
        {
            ready += await local.LookAsync(connection, cancellationToken);
            _lookedHereAt = time.GetTimestamp();
        }

        ready += await failed.LookAsync(connection, cancellationToken);
        if (!_hasLookedOutside && outside.AreThere)
        {
            _hasLookedOutside = true;
            ready += await ReplicaTransitions.LookOutsideAsync(connection, node.Id, cancellationToken);
        }

        if (_sourceAnswers)
        {
            ready += await queue.WakeForSourceAsync(connection, cancellationToken);
            _sourceAnswers = false;
        }

        if (ready > 0)
        {
            signal.Set();
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
            Log.Failed(logger, node.Id.Value, e.Message);
            return false;
        }
    }

    /// <summary>Defers what nobody has, once a lane has come upon such; and looks a moment later whether somebody got it stored meanwhile.</summary>
    private async Task DeferAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await deferral.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken);
            await TryAsync(async () =>
            {
                var mayBeMore = true;
                while (mayBeMore)
                {
                    await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
                    mayBeMore = await queue.DeferUnprovidedAsync(connection, outside.AreThere, cancellationToken) > 0;
                    await local.LookAsync(connection, cancellationToken);
                    signal.Set();
                }

                await Task.Delay(_lookAgain, time, cancellationToken);
                if (!outside.AreThere)
                {
                    await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
                    if (await queue.LookForProvidersAsync(connection, cancellationToken) > 0)
                    {
                        signal.Set();
                    }
                }
            });
        }
    }

    private async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (NpgsqlException e)
        {
            // An outage is logged, once, by the node's own session.
            if (!allowance.Report(e) && !DatabaseReach.IsAway(e))
            {
                Log.Failed(logger, node.Id.Value, e.Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1664, LogLevel.Warning, "Queue maintenance failed on {Node}: {Reason}")]
        public static partial void Failed(ILogger logger, string node, string reason);

        [LoggerMessage(
            1666,
            LogLevel.Warning,
            "The contents of {Count} removed files go before their time from {Node}: its disk needs the room"
        )]
        public static partial void TrashEmptied(ILogger logger, int count, string node);

        [LoggerMessage(
            1660,
            LogLevel.Warning,
            "Corrected the times of {Count} replicas at {Node}: the database's clock was ahead"
        )]
        public static partial void TimesCorrected(ILogger logger, int count, string node);
    }
}
