using System.Runtime.ExceptionServices;
using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Cluster;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;
using FileTransfer.Postgres;
using Npgsql;

namespace FileTransfer.Downloads;

/// <summary>What one step of a lane came to.</summary>
public enum LaneStep
{
    /// <summary>Nothing was ready, or nothing may start; wait.</summary>
    Idle,

    /// <summary>A file was dealt with, well or not; ask again.</summary>
    Worked,
}

/// <summary>A worker that brings files here, on a database session of its own: one at a time, or some small ones together.</summary>
/// <remarks>
/// A lane never looks at the queue as a whole: it asks for what is next, does it, and asks again. Small files are claimed together, each
/// under its own lock and epoch, and those that have come are made durable and published together: for the price of one. While a
/// transfer runs, the session is listening (a lost backend ends the transfer) and is asked every <see cref="_checkPeriod"/> whether the
/// claim still stands (a removal or a takeover ends it). The publication proves lock and epoch in the statement that writes, so none of
/// this is needed for safety.
/// </remarks>
public sealed partial class DownloadLane(
    ReplicaQueue queue,
    Replicas replicas,
    Transfers transfers,
    DownloadEvents events,
    SourceTrials trials,
    ActiveDownloads active,
    ChunkStore store,
    DiskPressure disk,
    RetryPolicy retry,
    ThisNode node,
    QueueSignal signal,
    TimeProvider time,
    ILogger<DownloadLane> logger
)
{
    /// <summary>Small files that are claimed together, at most.</summary>
    private const int Together = 32;

    private static readonly TimeSpan _checkPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _noRoomDelay = TimeSpan.FromSeconds(5);

    /// <summary>How long a small file that has come waits for the others.</summary>
    private static readonly TimeSpan _gathering = TimeSpan.FromMilliseconds(50);

    /// <summary>Claims what is next and deals with it, and with what is claimed in the round trips that publish.</summary>
    /// <exception cref="LeaseLostException">The session is gone; go on with a new one.</exception>
    public async Task<LaneStep> StepAsync(LeaseSession session, CancellationToken cancellationToken)
    {
        if (!disk.AllowsDownloads())
        {
            return LaneStep.Idle;
        }

        switch (await queue.ClaimAsync(session, Together, cancellationToken))
        {
            case ClaimOutcome.Claimed { Replicas: var claims }:
                await HandleAsync(session, claims, cancellationToken);
                return LaneStep.Worked;
            case ClaimOutcome.Busy:
                return LaneStep.Worked;
            default:
                return LaneStep.Idle;
        }
    }

    private async Task HandleAsync(LeaseSession session, IReadOnlyList<ClaimedReplica> claims, CancellationToken stopping)
    {
        var jobs = new List<LaneJob>();
        try
        {
            var checkedAt = time.GetTimestamp();
            Start(claims);
            while (jobs.Count > 0)
            {
                await WaitAsync(jobs);
                if (time.GetElapsedTime(checkedAt) >= _checkPeriod)
                {
                    await CheckAsync(session, jobs);
                    checkedAt = time.GetTimestamp();
                }

                var ended = jobs.FindAll(job => job.Running.IsCompleted);
                var chain = new Chain(RoomBeside(jobs.FindAll(job => !ended.Contains(job))));
                await ConcludeAsync(session, ended, chain, stopping);
                foreach (var job in ended)
                {
                    jobs.Remove(job);
                    await job.DisposeAsync();
                }

                if (chain.Next is ClaimOutcome.Claimed { Replicas: var more })
                {
                    Start(more);
                }
            }
        }
        finally
        {
            // Whatever ended this, a transfer ends before its claim does, and lets go of its partial.
            foreach (var job in jobs)
            {
                await job.DisposeAsync();
            }
        }

        void Start(IReadOnlyList<ClaimedReplica> begun)
        {
            signal.Set(); // There may be more: let the next lane look.
            foreach (var claim in begun)
            {
                var job = new LaneJob(claim, stopping, session.Lost);
                jobs.Add(job);
                job.Start(active, transfers);
            }
        }
    }

    /// <summary>How many files a lane may claim beside those it has: none beside a large one.</summary>
    private static int RoomBeside(List<LaneJob> left) =>
        left.Sum(job => job.Claim.Size) <= ReplicaQueue.TogetherBytes ? Together - left.Count : 0;

    /// <summary>Waits until one has ended, and the others a moment longer; no longer than until it is time to check the claims.</summary>
    private async Task WaitAsync(List<LaneJob> jobs)
    {
        try
        {
            await Task.WhenAny(jobs.Select(job => job.Running)).WaitAsync(_checkPeriod, time);
            if (jobs.Count > 1)
            {
                await Task.WhenAll(jobs.Select(job => job.Running.ContinueWith(_ => { }, TaskScheduler.Default)))
                    .WaitAsync(_gathering, time);
            }
        }
        catch (TimeoutException)
        {
            // Time to look at what there is.
        }
    }

    /// <summary>Asks whether the claims still stand, and tells the transfers where else their files are by then.</summary>
    private async Task CheckAsync(LeaseSession session, List<LaneJob> jobs)
    {
        foreach (var job in jobs.Where(job => !job.Running.IsCompleted))
        {
            try
            {
                if (await queue.ReportProgressAsync(session, job.Claim, job.Progress.BytesProven, job.Abort.Token) is { } now)
                {
                    transfers.Update(job.Claim.Key, now);
                }
                else
                {
                    await job.Abort.CancelAsync();
                }
            }
            catch (OperationCanceledException) when (job.Abort.IsCancellationRequested)
            {
                // It ends by itself.
            }
        }
    }

    private async Task ConcludeAsync(LeaseSession session, List<LaneJob> ended, Chain chain, CancellationToken stopping)
    {
        var proven = new List<LaneJob>();
        foreach (var job in ended)
        {
            try
            {
                switch (await job.Running)
                {
                    case TransferOutcome.Parked parked:
                        await ParkAsync(session, job.Claim, parked, stopping);
                        break;
                    case TransferOutcome.NoRoom full:
                        disk.ReportRefused(full.Reason);
                        await GiveBackAsync(session, job.Claim, full.Reason, full.BytesProven, _noRoomDelay);
                        break;
                    case TransferOutcome.Failed failed:
                        await RetryOrFailAsync(session, job.Claim, failed.Reason, failed.BytesProven, stopping);
                        break;
                    default:
                        proven.Add(job);
                        break;
                }
            }
            catch (Exception e)
            {
                await FaultAsync(session, job, e, stopping);
            }
        }

        if (proven.Count > 0)
        {
            await PublishAsync(session, proven, chain, stopping);
        }
    }

    /// <summary>A job met an exception: its own, or one of what was done for several.</summary>
    /// <exception cref="LeaseLostException">And others that end what the lane does with its session.</exception>
    private async Task FaultAsync(LeaseSession session, LaneJob job, Exception fault, CancellationToken stopping)
    {
        var claim = job.Claim;
        switch (fault)
        {
            case OperationCanceledException when job.Abort.IsCancellationRequested:
                await AbandonAsync(session, job, stopping);
                break;
            case LeaseLostException or NpgsqlException or OperationCanceledException:
                ExceptionDispatchInfo.Throw(fault);
                break;
            case DiskFullException full:
                disk.ReportFull(full);
                await GiveBackAsync(session, claim, full.Message, job.Progress.BytesProven, _noRoomDelay);
                Publish(claim, DownloadEventKind.Parked, job.Progress.BytesProven, full.Message);
                break;
            case IOException or UnauthorizedAccessException:
                Log.DiskFailed(logger, claim.Key, node.Id, claim.Epoch, fault);
                await RetryOrFailAsync(session, claim, $"the disk of node '{node.Id}' failed: {fault.Message}", 0, stopping);
                break;
            default:
                // Whatever it is, it has to do with this file: its attempts end, and the other files go on.
                Log.Fault(logger, claim.Key, node.Id, claim.Epoch, fault);
                await RetryOrFailAsync(session, claim, $"node '{node.Id}' met a fault: {fault.Message}", 0, stopping);
                break;
        }
    }

    private async Task ParkAsync(
        LeaseSession session,
        ClaimedReplica claim,
        TransferOutcome.Parked parked,
        CancellationToken cancellationToken
    )
    {
        var waitsFor = parked.Kind switch
        {
            ParkKind.Source => WaitsFor.Source,
            ParkKind.Turn => WaitsFor.Turn,
            _ => WaitsFor.Time,
        };
        Log.Parked(logger, claim.Key, node.Id, claim.Epoch, parked.RetryIn.TotalSeconds, parked.Reason);
        if (await queue.ParkAsync(session, claim, waitsFor, parked.Reason, parked.BytesProven, parked.RetryIn, cancellationToken))
        {
            Publish(claim, DownloadEventKind.Parked, parked.BytesProven ?? 0, parked.Reason);
            if (waitsFor == WaitsFor.Source && parked.Wakes != transfers.Wakes)
            {
                // It came back after this was decided and before it was written down.
                transfers.SourceAnswers.Set();
            }
        }
    }

    /// <summary>Durable, then committed, then visible; all under the contents' locks, so that a removal decides before or after, not between.</summary>
    private async Task PublishAsync(LeaseSession session, List<LaneJob> proven, Chain chain, CancellationToken stopping)
    {
        var locks = new List<IDisposable>();
        try
        {
            // In one order everywhere, so that no two lanes wait for each other.
            foreach (var content in proven.Select(job => job.Claim.Fingerprint).Distinct().Order())
            {
                locks.Add(await store.LockContentAsync(content, stopping));
            }

            var durable = await MakeDurableAsync(session, proven, stopping);
            if (durable.Count > 0)
            {
                await CommitAsync(session, durable, chain, stopping);
            }
        }
        catch (OperationCanceledException e) when (stopping.IsCancellationRequested)
        {
            foreach (var job in proven)
            {
                await FaultAsync(session, job, e, stopping);
            }
        }
        finally
        {
            locks.ForEach(taken => taken.Dispose());
        }
    }

    /// <summary>Those that are durable now; the others have been dealt with.</summary>
    private async Task<List<LaneJob>> MakeDurableAsync(LeaseSession session, List<LaneJob> proven, CancellationToken stopping)
    {
        var inMemory = proven.FindAll(job => job.Outcome is TransferOutcome.ProvenInMemory);
        Exception? fault = null;
        try
        {
            store.MakeDurable(inMemory.ConvertAll(job => ((TransferOutcome.ProvenInMemory)job.Outcome).Bytes));
        }
        catch (Exception e)
        {
            fault = e;
        }

        var durable = new List<LaneJob>(proven.Count);
        foreach (var job in proven)
        {
            try
            {
                switch (job.Outcome)
                {
                    case TransferOutcome.ProvenInMemory when fault is not null:
                        ExceptionDispatchInfo.Throw(fault);
                        break;
                    case TransferOutcome.Proven { Partial: var partial }:
                        store.MakeDurable(partial);
                        break;
                    case TransferOutcome.Found when !store.ConfirmDurable(job.Claim.Fingerprint, job.Claim.Size):
                        await GiveBackAsync(session, job.Claim, "its content was deleted", 0, TimeSpan.Zero);
                        continue;
                }

                durable.Add(job);
            }
            catch (Exception e)
            {
                await FaultAsync(session, job, e, stopping);
            }
        }

        return durable;
    }

    private async Task CommitAsync(LeaseSession session, List<LaneJob> durable, Chain chain, CancellationToken stopping)
    {
        var claims = durable.ConvertAll(job => job.Claim);
        var next = !stopping.IsCancellationRequested && disk.AllowsDownloads() ? chain.Room : 0;
        (var published, chain.Next) = await queue.PublishAsync(session, claims, next, stopping);
        foreach (var job in durable)
        {
            try
            {
                await ConcludePublishedAsync(job.Claim, published.Contains(job.Claim.Key), stopping);
            }
            catch (IOException e)
            {
                await FaultAsync(session, job, e, stopping);
            }
        }
    }

    private async Task ConcludePublishedAsync(ClaimedReplica claim, bool isPublished, CancellationToken stopping)
    {
        if (isPublished)
        {
            store.Show(claim.Key, claim.Fingerprint);
            Log.Stored(logger, claim.Key, node.Id, claim.Epoch, claim.Size);
            trials.Forget(claim.Key);
            Publish(claim, DownloadEventKind.Done, claim.Size);
            return;
        }

        Log.NotPublished(logger, claim.Key, node.Id, claim.Epoch);
        if (!await replicas.RefersToAsync(node.Id, claim.Fingerprint, except: null, stopping))
        {
            store.DeleteContent(claim.Fingerprint);
        }
    }

    private async Task RetryOrFailAsync(
        LeaseSession session,
        ClaimedReplica claim,
        string reason,
        long? bytesProven,
        CancellationToken cancellationToken
    )
    {
        var failures = claim.Attempts + 1;
        if (retry.IsSpent(failures))
        {
            Log.Failed(logger, claim.Key, node.Id, claim.Epoch, failures, reason);
            await queue.FailAsync(session, claim, reason, bytesProven, cancellationToken);
        }
        else
        {
            var delay = retry.NextDelay(failures);
            Log.Retry(logger, claim.Key, node.Id, claim.Epoch, failures, delay.TotalSeconds, reason);
            await queue.RetryAsync(session, claim, reason, bytesProven, spendsAttempt: true, delay, cancellationToken);
        }

        Publish(claim, DownloadEventKind.Failed, bytesProven ?? 0, reason);
    }

    /// <summary>The transfer was cut off: by a stop, by a removal or takeover, or by the loss of the session.</summary>
    private async Task AbandonAsync(LeaseSession session, LaneJob job, CancellationToken stopping)
    {
        var claim = job.Claim;

        // Whatever ended the claim tells why.
        events.Forget(claim.Key);
        if (session.Lost.IsCancellationRequested)
        {
            Log.LeaseLost(logger, claim.Key, node.Id, claim.Epoch);
            throw new LeaseLostException($"{session.ApplicationName} lost its lock on {claim.Key}.");
        }

        var reason = stopping.IsCancellationRequested ? "its node stopped" : "its claim ended";
        Log.Abandoned(logger, claim.Key, node.Id, claim.Epoch, reason);

        await GiveBackAsync(session, claim, reason, job.Progress.BytesProven, TimeSpan.Zero);
    }

    /// <summary>Gives a claim back also while stopping. One that has ended is only unlocked.</summary>
    private async Task GiveBackAsync(LeaseSession session, ClaimedReplica claim, string reason, long bytesProven, TimeSpan delay)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3), time);
        await queue.RetryAsync(session, claim, reason, bytesProven, spendsAttempt: false, delay, limit.Token);
    }

    private void Publish(ClaimedReplica claim, DownloadEventKind kind, long bytesProven, string? reason = null) =>
        events.Publish(new DownloadEvent(claim.Key, kind, Source: null, bytesProven, claim.Size, reason, Ranges: null));

    /// <summary>What was claimed in the round trip that published. It is the lane's, whatever becomes of the rest of what was published.</summary>
    /// <param name="Room">So many files may be claimed; 0 = none.</param>
    private sealed record Chain(int Room)
    {
        public ClaimOutcome? Next { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Stored {FileKey} at {Node} in epoch {Epoch}: {Size} bytes")]
        public static partial void Stored(ILogger logger, FileKey fileKey, NodeId node, long epoch, long size);

        [LoggerMessage(2, LogLevel.Information, "Did not publish {FileKey} at {Node} in epoch {Epoch}: the claim ended before")]
        public static partial void NotPublished(ILogger logger, FileKey fileKey, NodeId node, long epoch);

        [LoggerMessage(
            3,
            LogLevel.Information,
            "Download of {FileKey} at {Node} in epoch {Epoch} failed {Failures} times; next try in {Seconds:0.0} s: {Reason}"
        )]
        public static partial void Retry(
            ILogger logger,
            FileKey fileKey,
            NodeId node,
            long epoch,
            int failures,
            double seconds,
            string reason
        );

        [LoggerMessage(
            4,
            LogLevel.Warning,
            "Download of {FileKey} at {Node} in epoch {Epoch} is given up after {Failures} attempts: {Reason}"
        )]
        public static partial void Failed(ILogger logger, FileKey fileKey, NodeId node, long epoch, int failures, string reason);

        [LoggerMessage(5, LogLevel.Information, "Download of {FileKey} at {Node} in epoch {Epoch} was cut off: {Reason}")]
        public static partial void Abandoned(ILogger logger, FileKey fileKey, NodeId node, long epoch, string reason);

        [LoggerMessage(
            6,
            LogLevel.Warning,
            "Download of {FileKey} at {Node} in epoch {Epoch} stops: the database session that held its lock is gone"
        )]
        public static partial void LeaseLost(ILogger logger, FileKey fileKey, NodeId node, long epoch);

        [LoggerMessage(
            9,
            LogLevel.Debug,
            "Download of {FileKey} at {Node} in epoch {Epoch} waits, at most {Seconds:0.0} s: {Reason}"
        )]
        public static partial void Parked(
            ILogger logger,
            FileKey fileKey,
            NodeId node,
            long epoch,
            double seconds,
            string reason
        );

        [LoggerMessage(7, LogLevel.Error, "Download of {FileKey} at {Node} in epoch {Epoch} met a failing disk")]
        public static partial void DiskFailed(ILogger logger, FileKey fileKey, NodeId node, long epoch, Exception exception);

        [LoggerMessage(8, LogLevel.Error, "Download of {FileKey} at {Node} in epoch {Epoch} met a fault")]
        public static partial void Fault(ILogger logger, FileKey fileKey, NodeId node, long epoch, Exception exception);
    }
}
