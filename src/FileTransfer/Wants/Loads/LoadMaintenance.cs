using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Downloads.Progress;
using FileTransfer.Feed;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.Wants.Loads;

/// <summary>Brings loads to their ends: wants their files round by round, sees which are stored, and ends each when it is whole, in vain or late.</summary>
/// <remarks>The downloads themselves are the queue's. A step takes a bounded time, so that no deadline passes unseen.</remarks>
internal sealed partial class LoadMaintenance(
    LoadTable table,
    LoadMetadata metadata,
    LoadReports reports,
    FileCommands commands,
    Leadership leadership,
    ClusterMembership membership,
    NodePulse pulse,
    QueueSignal queue,
    ReplicaChanges changes,
    DownloadEvents events,
    TroubleCollector troubles,
    NodeId node,
    WorkerRegistry workers,
    TimeProvider time,
    ILogger<LoadMaintenance> logger
) : BackgroundService
{
    private static readonly TimeSpan _pace = TimeSpan.FromMilliseconds(200);

    /// <summary>To count the files of a load takes a twentieth of the time at the most.</summary>
    private const int RestPerWork = 19;

    /// <summary>The heartbeat tells of any load that there is something to do for.</summary>
    private static readonly TimeSpan _idle = TimeSpan.FromMinutes(10);

    /// <summary>How long files are claimed and wanted in one step.</summary>
    private static readonly TimeSpan _stretch = TimeSpan.FromMilliseconds(300);

    private readonly AsyncAutoResetEvent _wake = new();

    /// <summary>What takes longer than a step: metadata asked for while a load runs, and what is given up when it has ended.</summary>
    private readonly Dictionary<(long Load, bool HasEnded), (Task Task, CancellationTokenSource Cancel)> _beside = [];
    private readonly ConcurrentDictionary<long, LoadProgress> _progress = new();
    private DatabaseClock? _clock;
    private volatile bool _isIdle;

    /// <summary>A load was made, or ended.</summary>
    public void Wake() => _wake.Set();

    /// <summary>How far a load was when it was looked at last; null where it was not, or has ended.</summary>
    public LoadProgress? ProgressOf(LoadRow load) => _progress.GetValueOrDefault(load.LoadId);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var any = pulse.Ask(LoadTable.HasAnyToSettle, WakeIdle);
        await membership.RunWhileJoinedAsync(RunAsync, stoppingToken);
    }

    /// <summary>The heartbeat says of every load that runs that there is something to do.</summary>
    private void WakeIdle()
    {
        if (_isIdle)
        {
            _wake.Set();
        }
    }

    private async Task RunAsync(CancellationToken joined)
    {
        // No pause: a deadline is a deadline.
        var worker = workers.Add("loads", "wants the files of loads, and ends loads", canPause: false);
        _beside.Clear();
        for (var wait = TimeSpan.Zero; ; )
        {
            await WaitAsync(wait, joined);
            try
            {
                wait = await worker.RunAsync(() => StepAsync(joined), joined);
            }
            catch (Exception e) when (DatabaseReach.IsFailure(e))
            {
                wait = _pace;
                Log.Failed(logger, node, e.Message);
            }
        }
    }

    /// <summary>Waits until it is time to look again, which it is sooner when the last download has ended: a load may be whole.</summary>
    private async Task WaitAsync(TimeSpan wait, CancellationToken joined)
    {
        for (var wasBusy = false; wait < _idle && wait > _pace; wait -= _pace)
        {
            var isBusy = events.AreUnderWay;
            if (await _wake.WaitAsync(_pace, time, joined) || (wasBusy && !isBusy))
            {
                return;
            }

            wasBusy = isBusy;
        }

        _isIdle = wait >= _idle;
        await _wake.WaitAsync(wait, time, joined);
        _isIdle = false;
    }

    /// <summary>Looks at all loads once.</summary>
    /// <returns>When to look again.</returns>
    private async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        await table.ForgetAsync(cancellationToken);
        var heard = troubles.Take();
        var asked = time.GetTimestamp();
        var loads = await table.OpenAsync(cancellationToken);
        if (loads.Count == 0)
        {
            _clock = null;
            return _idle;
        }

        if (HasJumped(loads[0].Now, asked) is { } jump)
        {
            await table.ShiftAsync(jump, cancellationToken);
            return TimeSpan.Zero;
        }

        if (heard.Count > 0)
        {
            await table.BlameAsync(heard, cancellationToken);
        }

        var (next, goesOn) = (TimeSpan.MaxValue, false);
        foreach (var load in loads)
        {
            if (load.EndedAt is not null)
            {
                _progress.TryRemove(load.LoadId, out _);
                StartBeside(load, table.SettleAsync, cancellationToken);
            }
            else if (await StepAsync(load, cancellationToken))
            {
                next = Min(next, load.Remaining - time.GetElapsedTime(began));
            }
            else
            {
                goesOn = true;
            }
        }

        // A large load is looked at less often, but never after its deadline.
        return goesOn ? TimeSpan.Zero : Max(TimeSpan.Zero, Min(next, Max(_pace, RestPerWork * time.GetElapsedTime(began))));
    }

    /// <summary>By how much the clock that deadlines are written by has jumped since it was looked at last; that is before any passes by it.</summary>
    private TimeSpan? HasJumped(DateTimeOffset now, long asked)
    {
        _clock ??= new DatabaseClock(time, NullLogger.Instance);
        var before = _clock.RecentJump;
        _clock.Observe(now.UtcDateTime, asked);
        return _clock.RecentJump is { } jump && jump != before ? jump.By : null;
    }

    /// <returns>False where more of its files can be claimed and wanted at once.</returns>
    private async Task<bool> StepAsync(LoadRow load, CancellationToken cancellationToken)
    {
        var begins = load.BegunRound < load.Round && load.HasRoundBegun && load.Remaining > TimeSpan.Zero;
        if (begins && !await BeginRoundAsync(load, cancellationToken))
        {
            return false;
        }

        if (load.BegunRound == load.Round)
        {
            await table.MarkInVainAsync(load, cancellationToken);
        }

        var progress = _progress[load.LoadId] = await table.ProgressAsync(load, events.UnderWay(), cancellationToken);
        switch (LoadSteps.Of(load, progress))
        {
            case LoadStep.Wait when !begins && load.HasRoundBegun && progress.Unready > 0:
                return await BeginRoundAsync(load, cancellationToken);
            case LoadStep.NextRound:
                await table.EndRoundAsync(load, cancellationToken);
                Log.RoundFailed(logger, load.Name, node, load.Round, load.Files - progress.Stored, load.Files, load.Pause);
                break;
            case LoadStep.Store:
                await StoreAsync(load, progress, cancellationToken);
                break;
            case LoadStep.Fail:
                await FailAsync(load, progress, cancellationToken);
                break;
        }

        return true;
    }

    private async Task StoreAsync(LoadRow load, LoadProgress progress, CancellationToken cancellationToken)
    {
        // Its report is closed when it ends: what went wrong with the last files belongs in it.
        await table.BlameAsync(troubles.Take(), cancellationToken);
        if (await table.EndAsync(load, "stored", null, null, cancellationToken))
        {
            _wake.Set();
            Log.Stored(logger, load.Name, node, load.Files, progress.Bytes);
        }
    }

    private async Task FailAsync(LoadRow load, LoadProgress progress, CancellationToken cancellationToken)
    {
        await table.BlameAsync(troubles.Take(), cancellationToken);
        var missing = await reports.MissingAsync(load, cancellationToken);
        var reason = LoadSteps.ReasonOf(load, progress, missing[0]);
        if (await table.EndAsync(load, "failed", reason, LoadReports.Write(missing), cancellationToken))
        {
            _wake.Set();
            Log.LoadFailed(logger, load.Name, node, reason);
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static partial class Log
    {
        [LoggerMessage(1350, LogLevel.Warning, "Maintenance of loads failed on {Node}; retrying: {Reason}")]
        public static partial void Failed(ILogger logger, NodeId node, string reason);

        [LoggerMessage(1351, LogLevel.Information, "Load {Load} is stored at {Node}: {Files} files, {Bytes} bytes")]
        public static partial void Stored(ILogger logger, string load, NodeId node, int files, long bytes);

        [LoggerMessage(1352, LogLevel.Error, "Load {Load} failed at {Node}: {Reason}")]
        public static partial void LoadFailed(ILogger logger, string load, NodeId node, string reason);

        [LoggerMessage(
            1353,
            LogLevel.Warning,
            "Round {Round} of load {Load} at {Node} ended with {Missing} of {Files} files missing; the next begins after {Pause}"
        )]
        public static partial void RoundFailed(
            ILogger logger,
            string load,
            NodeId node,
            int round,
            int missing,
            int files,
            TimeSpan pause
        );
    }
}
