using System.Runtime.ExceptionServices;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cluster;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;
using FileTransfer.Identity;
using FileTransfer.Postgres;
using Npgsql;

namespace FileTransfer.Downloads;

/// <summary>How a claim ends whose file was not published: parked, given back, tried again later, or failed.</summary>
public sealed partial class AttemptCompletion(
    ReplicaQueue queue,
    DownloadEngine transfers,
    DownloadEvents events,
    DiskPressure disk,
    RetryPolicy retry,
    ThisNode node,
    TimeProvider time,
    ILogger<AttemptCompletion> logger
)
{
    private static readonly TimeSpan _noRoomDelay = TimeSpan.FromSeconds(5);

    /// <summary>When a file is tried again that something on this node's disk is in the way of.</summary>
    private static readonly TimeSpan _hinderedDelay = TimeSpan.FromSeconds(15);

    /// <summary>A job met an exception: its own, or one of what was done for several.</summary>
    /// <exception cref="LockConnectionLostException">And others that end what the lane does with its session.</exception>
    internal async Task FaultAsync(LockConnection session, LaneJob job, Exception fault, CancellationToken stopping)
    {
        var claim = job.Claim;
        switch (fault)
        {
            case OperationCanceledException when job.Abort.IsCancellationRequested:
                await AbandonAsync(session, job, stopping);
                break;
            case LockConnectionLostException or NpgsqlException or OperationCanceledException:
                ExceptionDispatchInfo.Throw(fault);
                break;
            case DiskFullException full:
                disk.ReportFull(full);
                await GiveBackAsync(session, claim, full.Message, job.Progress.BytesProven, _noRoomDelay);
                Publish(claim, DownloadEventKind.Deferred, job.Progress.BytesProven, full.Message);
                break;
            case IOException or UnauthorizedAccessException:
                await DiskFailedAsync(session, job, fault);
                break;
            default:
                // Whatever it is, it has to do with this file: its attempts end, and the other files go on.
                Log.Fault(logger, claim.Key, node.Id, claim.Epoch, fault);
                await RetryOrFailAsync(
                    session,
                    claim,
                    new AttemptOutcome.Failed($"node '{node.Id}' met a fault: {fault.Message}", 0, FailureCause.NodeFault),
                    stopping
                );
                break;
        }
    }

    /// <summary>This node's own disk failed: that says nothing against the file, and spends nothing.</summary>
    private async Task DiskFailedAsync(LockConnection session, LaneJob job, Exception fault)
    {
        var claim = job.Claim;
        Log.DiskFailed(logger, claim.Key, node.Id, claim.Epoch, fault);
        var delay = disk.ReportTrouble(fault) ? _noRoomDelay : retry.Capped(_hinderedDelay);
        var reason = $"the disk of node '{node.Id}' failed: {DiskFault.Describe(fault)}";
        await GiveBackAsync(session, claim, reason, job.Progress.BytesProven, delay);
        Publish(claim, DownloadEventKind.Deferred, job.Progress.BytesProven, reason);
    }

    internal async Task ParkAsync(
        LockConnection session,
        ClaimedReplica claim,
        AttemptOutcome.Parked parked,
        CancellationToken cancellationToken
    )
    {
        var waitsFor = parked.Kind switch
        {
            ParkKind.NoSource => WaitCondition.Provider,
            ParkKind.Source => WaitCondition.Source,
            ParkKind.Turn => WaitCondition.Permit,
            _ => WaitCondition.Time,
        };
        Log.Parked(logger, claim.Key, node.Id, claim.Epoch, parked.RetryIn.TotalSeconds, parked.Reason);
        if (
            await queue.DeferAsync(session, claim, waitsFor, parked.Reason, parked.BytesProven, parked.RetryIn, cancellationToken)
        )
        {
            Publish(claim, DownloadEventKind.Deferred, parked.BytesProven ?? 0, parked.Reason);
            if (waitsFor == WaitCondition.Source && parked.Wakes != transfers.Wakes)
            {
                // It came back after this was decided and before it was written down.
                transfers.SourceAnswers.Set();
            }
        }
    }

    internal async Task NoRoomAsync(LockConnection session, ClaimedReplica claim, AttemptOutcome.NoRoom full)
    {
        disk.ReportRefused(full.Reason);
        await GiveBackAsync(session, claim, full.Reason, full.BytesProven, _noRoomDelay);
    }

    /// <summary>An attempt failed, as a rule of its sources; one in which nobody was asked for anything is none.</summary>
    internal async Task FailAsync(
        LockConnection session,
        ClaimedReplica claim,
        AttemptOutcome.Failed failed,
        CancellationToken cancellationToken
    )
    {
        if (failed.HasAsked)
        {
            await RetryOrFailAsync(session, claim, failed, cancellationToken);
            return;
        }

        var delay = retry.NextDelay(claim.Attempts + 1);
        await queue.RetryAsync(session, claim, failed.Reason, failed.BytesProven, spendsAttempt: false, delay, cancellationToken);
        Publish(claim, DownloadEventKind.Deferred, failed.BytesProven ?? 0, failed.Reason);
    }

    private async Task RetryOrFailAsync(
        LockConnection session,
        ClaimedReplica claim,
        AttemptOutcome.Failed failed,
        CancellationToken cancellationToken
    )
    {
        var (reason, bytesProven) = (failed.Reason, failed.BytesProven);
        var failures = claim.Attempts + 1;
        if (retry.IsSpent(failures))
        {
            Log.Failed(logger, claim.Key, node.Id, claim.Epoch, failures, reason);
            await queue.FailAsync(session, claim, failed.Cause, reason, bytesProven, cancellationToken);
        }
        else
        {
            var delay = failed.RetryIn is { } rest ? retry.Capped(rest) : retry.NextDelay(failures);
            Log.Retry(logger, claim.Key, node.Id, claim.Epoch, failures, delay.TotalSeconds, reason);
            await queue.RetryAsync(session, claim, failed.Cause, reason, bytesProven, delay, cancellationToken);
        }

        Publish(claim, DownloadEventKind.Failed, bytesProven ?? 0, reason);
    }

    /// <summary>Gives a claim back also while stopping. One that has ended is only unlocked.</summary>
    internal async Task GiveBackAsync(
        LockConnection session,
        ClaimedReplica claim,
        string reason,
        long bytesProven,
        TimeSpan delay
    )
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3), time);
        await queue.RetryAsync(session, claim, reason, bytesProven, spendsAttempt: false, delay, limit.Token);
    }

    /// <summary>The transfer was cut off: by a stop, by a removal or takeover, or by the loss of the session.</summary>
    private async Task AbandonAsync(LockConnection session, LaneJob job, CancellationToken stopping)
    {
        var claim = job.Claim;

        // Whatever ended the claim tells why.
        events.Forget(claim.Key);
        if (session.Lost.IsCancellationRequested)
        {
            Log.LeaseLost(logger, claim.Key, node.Id, claim.Epoch);
            throw new LockConnectionLostException($"{session.ApplicationName} lost its lock on {claim.Key}.");
        }

        var reason = stopping.IsCancellationRequested ? "its node stopped" : "its claim ended";
        Log.Abandoned(logger, claim.Key, node.Id, claim.Epoch, reason);

        await GiveBackAsync(session, claim, reason, job.Progress.BytesProven, TimeSpan.Zero);
    }

    private void Publish(ClaimedReplica claim, DownloadEventKind kind, long bytesProven, string? reason = null) =>
        events.Publish(new DownloadEvent(claim.Key, kind, Source: null, bytesProven, claim.Size, reason, Ranges: null));

    private static partial class Log
    {
        [LoggerMessage(
            1600,
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
            1601,
            LogLevel.Warning,
            "Download of {FileKey} at {Node} in epoch {Epoch} is given up after {Failures} attempts: {Reason}"
        )]
        public static partial void Failed(ILogger logger, FileKey fileKey, NodeId node, long epoch, int failures, string reason);

        [LoggerMessage(1602, LogLevel.Information, "Download of {FileKey} at {Node} in epoch {Epoch} was cut off: {Reason}")]
        public static partial void Abandoned(ILogger logger, FileKey fileKey, NodeId node, long epoch, string reason);

        [LoggerMessage(
            1603,
            LogLevel.Warning,
            "Download of {FileKey} at {Node} in epoch {Epoch} stops: the database session that held its lock is gone"
        )]
        public static partial void LeaseLost(ILogger logger, FileKey fileKey, NodeId node, long epoch);

        [LoggerMessage(
            1604,
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

        [LoggerMessage(1605, LogLevel.Error, "Download of {FileKey} at {Node} in epoch {Epoch} met a failing disk")]
        public static partial void DiskFailed(ILogger logger, FileKey fileKey, NodeId node, long epoch, Exception exception);

        [LoggerMessage(1606, LogLevel.Error, "Download of {FileKey} at {Node} in epoch {Epoch} met a fault")]
        public static partial void Fault(ILogger logger, FileKey fileKey, NodeId node, long epoch, Exception exception);
    }
}
