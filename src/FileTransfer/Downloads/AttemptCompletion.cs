using System.Runtime.ExceptionServices;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cluster;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Progress;

namespace FileTransfer.Downloads;

/// <summary>How the claim of an attempt ends whose file is not published: deferred, released, tried again later, or failed.</summary>
public sealed partial class AttemptCompletion(
    ReplicaQueue queue,
    DownloadEngine engine,
    DownloadEvents events,
    DiskPressure disk,
    PausedDownloads paused,
    RetryPolicy retry,
    ThisNode node,
    TimeProvider time,
    ILogger<AttemptCompletion> logger
)
{
    private static readonly TimeSpan _noRoomDelay = TimeSpan.FromSeconds(5);

    /// <summary>When a file is tried again that something on this node's disk is in the way of.</summary>
    private static readonly TimeSpan _hinderedDelay = TimeSpan.FromSeconds(15);

    /// <summary>Puts the replica back until what it waits for comes to pass. That spends no attempt.</summary>
    internal async Task DeferAsync(
        LockConnection session,
        DownloadAttempt attempt,
        PlannerAction.Defer defer,
        CancellationToken cancellationToken
    )
    {
        var claim = attempt.Claim;
        Log.Deferred(logger, claim.Key, node.Id, claim.Epoch, defer.RetryIn.TotalSeconds, defer.Reason);
        if (await queue.DeferAsync(session, claim, defer.Kind, defer.Reason, attempt.BytesKept, defer.RetryIn, cancellationToken))
        {
            Publish(attempt, DownloadEventKind.Deferred, defer.Reason);
            if (defer.Kind == WaitCondition.Source && attempt.Wakes != engine.Wakes)
            {
                // A source answered between the decision and the UPDATE: signal again.
                engine.SourceAnswers.Set();
            }
        }
    }

    /// <summary>An attempt failed, as a rule because of its sources; one in which none was asked for anything does not count.</summary>
    internal async Task FailAsync(
        LockConnection session,
        DownloadAttempt attempt,
        PlannerAction.GiveUp failed,
        CancellationToken cancellationToken
    )
    {
        if (failed.HasAsked)
        {
            await RetryOrFailAsync(session, attempt, failed, CauseOf(failed), attempt.BytesKept, cancellationToken);
            return;
        }

        var delay = retry.NextDelay(attempt.Claim.Attempts + 1);
        await ReleaseAsync(session, attempt, failed.Reason, attempt.BytesKept, delay, cancellationToken);
        Publish(attempt, DownloadEventKind.Deferred, failed.Reason);
    }

    /// <summary>An attempt met an exception: its own, or one of what was done for several.</summary>
    /// <exception cref="LockConnectionLostException">And others that end what the lane does with its session.</exception>
    internal async Task FaultAsync(LockConnection session, DownloadAttempt attempt, Exception fault, CancellationToken stopping)
    {
        var claim = attempt.Claim;
        switch (fault)
        {
            case OperationCanceledException when attempt.IsAborted:
                await AbandonAsync(session, attempt, stopping);
                break;
            case LockConnectionLostException or NpgsqlException or OperationCanceledException:
                ExceptionDispatchInfo.Throw(fault);
                break;
            case NoRoomException:
                disk.ReportRefused(fault.Message);
                await ReleaseAsync(session, attempt, fault.Message, _noRoomDelay);
                break;
            case DiskFullException full:
                disk.ReportFull(full);
                await ReleaseAsync(session, attempt, full.Message, _noRoomDelay);
                Publish(attempt, DownloadEventKind.Deferred, full.Message);
                break;
            case IOException or UnauthorizedAccessException:
                // This node's own disk failed: that says nothing against the file, and spends no attempt.
                Log.DiskFailed(logger, claim.Key, node.Id, claim.Epoch, fault);
                var delay = disk.ReportTrouble(fault) ? _noRoomDelay : retry.Capped(_hinderedDelay);
                var reason = $"the disk of node '{node.Id}' failed: {DiskFault.Describe(fault)}";
                await ReleaseAsync(session, attempt, reason, delay);
                Publish(attempt, DownloadEventKind.Deferred, reason);
                break;
            default:
                // Whatever it is, it has to do with this file: its attempts end, and the other files go on.
                Log.Fault(logger, claim.Key, node.Id, claim.Epoch, fault);
                var text = $"node '{node.Id}' met a fault: {fault.Message}";
                var end = new PlannerAction.GiveUp(claim.Key, text, SourceFaultKind.Local, HasAsked: true);
                await RetryOrFailAsync(session, attempt, end, FailureCause.NodeFault, bytesKept: 0, stopping);
                break;
        }
    }

    /// <summary>Releases a claim also while stopping. One that has ended is only unlocked.</summary>
    internal async Task ReleaseAsync(LockConnection session, DownloadAttempt attempt, string reason, TimeSpan delay)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3), time);
        await ReleaseAsync(session, attempt, reason, attempt.BytesProven, delay, limit.Token);
    }

    private Task<bool> ReleaseAsync(
        LockConnection session,
        DownloadAttempt attempt,
        string reason,
        long? bytesKept,
        TimeSpan delay,
        CancellationToken cancellationToken
    ) => queue.RetryAsync(session, attempt.Claim, reason, bytesKept, spendsAttempt: false, delay, cancellationToken);

    private async Task RetryOrFailAsync(
        LockConnection session,
        DownloadAttempt attempt,
        PlannerAction.GiveUp failed,
        FailureCause cause,
        long? bytesKept,
        CancellationToken cancellationToken
    )
    {
        var claim = attempt.Claim;
        var failures = claim.Attempts + 1;
        if (retry.IsSpent(failures))
        {
            DownloadMetrics.Failed();
            Log.Failed(logger, claim.Key, node.Id, claim.Epoch, failures, failed.Reason);
            await queue.FailAsync(session, claim, cause, failed.Reason, bytesKept, cancellationToken);
        }
        else
        {
            var delay = failed.RetryIn is { } backoff ? retry.Capped(backoff) : retry.NextDelay(failures);
            DownloadMetrics.Retried();
            Log.Retry(logger, claim.Key, node.Id, claim.Epoch, failures, delay.TotalSeconds, failed.Reason);
            await queue.RetryAsync(session, claim, cause, failed.Reason, bytesKept, delay, cancellationToken);
        }

        Publish(attempt, DownloadEventKind.Failed, failed.Reason);
    }

    /// <summary>The download was cut off: by a stop, by a removal or takeover, or by the loss of the session.</summary>
    private async Task AbandonAsync(LockConnection session, DownloadAttempt attempt, CancellationToken stopping)
    {
        var claim = attempt.Claim;

        // Whoever ended the claim publishes why.
        events.Forget(claim.Key);
        if (session.Lost.IsCancellationRequested)
        {
            Log.SessionLost(logger, claim.Key, node.Id, claim.Epoch);
            throw new LockConnectionLostException($"{session.ApplicationName} lost its lock on {claim.Key}.");
        }

        if (!stopping.IsCancellationRequested && await paused.ReasonsAsync([claim.Key], stopping) is { Count: 1 } reasons)
        {
            Log.Abandoned(logger, claim.Key, node.Id, claim.Epoch, reasons[claim.Key]);
            await queue.PauseAsync(session, claim, reasons[claim.Key], attempt.BytesKept, stopping);
            return;
        }

        var reason =
            stopping.IsCancellationRequested ? "its node stopped"
            : paused.OfAll is { } all ? all.Reason
            : "its claim ended";
        Log.Abandoned(logger, claim.Key, node.Id, claim.Epoch, reason);
        await ReleaseAsync(session, attempt, reason, TimeSpan.Zero);
    }

    private static FailureCause CauseOf(PlannerAction.GiveUp failed) =>
        failed.Cause switch
        {
            null => FailureCause.Deadline,
            SourceFaultKind.Corrupt => FailureCause.WrongBytes,
            SourceFaultKind.Refused => FailureCause.Refused,
            SourceFaultKind.Stalled => FailureCause.Stalled,
            SourceFaultKind.EndedEarly => FailureCause.EndedEarly,
            SourceFaultKind.Local => FailureCause.NodeFault,
            _ => FailureCause.Unreachable,
        };

    private void Publish(DownloadAttempt attempt, DownloadEventKind kind, string reason) =>
        events.Publish(new DownloadEvent(attempt.Claim.Key, kind, null, attempt.BytesProven, attempt.Claim.Size, reason, null));

    private static partial class Log
    {
        private const string Download = "Download of {FileKey} at {Node} in epoch {Epoch} ";

        [LoggerMessage(
            1600,
            LogLevel.Information,
            Download + "failed (attempt {Attempt}); retrying in {Seconds:0.0} s: {Reason}"
        )]
        public static partial void Retry(
            ILogger logger,
            FileKey fileKey,
            NodeId node,
            long epoch,
            int attempt,
            double seconds,
            string reason
        );

        [LoggerMessage(1601, LogLevel.Warning, Download + "was given up after {Attempts} attempts: {Reason}")]
        public static partial void Failed(ILogger logger, FileKey fileKey, NodeId node, long epoch, int attempts, string reason);

        [LoggerMessage(1602, LogLevel.Information, Download + "was cut off: {Reason}")]
        public static partial void Abandoned(ILogger logger, FileKey fileKey, NodeId node, long epoch, string reason);

        [LoggerMessage(1603, LogLevel.Warning, Download + "stopped: the database session that held its lock is gone")]
        public static partial void SessionLost(ILogger logger, FileKey fileKey, NodeId node, long epoch);

        [LoggerMessage(1604, LogLevel.Debug, Download + "deferred for at most {Seconds:0.0} s: {Reason}")]
        public static partial void Deferred(
            ILogger logger,
            FileKey fileKey,
            NodeId node,
            long epoch,
            double seconds,
            string reason
        );

        [LoggerMessage(1605, LogLevel.Error, Download + "hit a disk failure")]
        public static partial void DiskFailed(ILogger logger, FileKey fileKey, NodeId node, long epoch, Exception exception);

        [LoggerMessage(1606, LogLevel.Error, Download + "met an unexpected fault")]
        public static partial void Fault(ILogger logger, FileKey fileKey, NodeId node, long epoch, Exception exception);
    }
}
