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

/// <summary>A worker that brings one file at a time here, on a database session of its own.</summary>
/// <remarks>
/// A lane never looks at the queue as a whole: it asks for one file, does it, and asks again. While a transfer runs, the session is
/// listening (a lost backend ends the transfer) and is asked every <see cref="_checkPeriod"/> whether the claim still stands (a removal or a
/// takeover ends it). The publication proves lock and epoch in the statement that writes, so none of this is needed for safety.
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
    private static readonly TimeSpan _checkPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _noRoomDelay = TimeSpan.FromSeconds(5);

    /// <summary>Claims one file and deals with it, and with those that were claimed in the round trips that published the one before.</summary>
    /// <exception cref="LeaseLostException">The session is gone; go on with a new one.</exception>
    public async Task<LaneStep> StepAsync(LeaseSession session, CancellationToken cancellationToken)
    {
        if (!disk.AllowsDownloads())
        {
            return LaneStep.Idle;
        }

        var outcome = await queue.ClaimAsync(session, cancellationToken);
        var step = outcome is ClaimOutcome.Empty ? LaneStep.Idle : LaneStep.Worked;
        while (outcome is ClaimOutcome.Claimed { Replica: var claim })
        {
            signal.Set(); // There may be more: let the next lane look.
            var chain = new Chain();
            await HandleAsync(session, claim, chain, cancellationToken);
            outcome = chain.Next;
        }

        return step;
    }

    private async Task HandleAsync(LeaseSession session, ClaimedReplica claim, Chain chain, CancellationToken stopping)
    {
        var progress = new TransferProgress();
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(stopping, session.Lost);
        try
        {
            using var alone = await active.EnterAsync(claim.Key, abort);
            var outcome = await TransferAsync(session, claim, progress, abort);
            await ConcludeAsync(session, claim, outcome, chain, stopping);
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
            await AbandonAsync(session, claim, progress, stopping);
        }
        catch (DiskFullException full)
        {
            disk.ReportFull(full);
            await GiveBackAsync(session, claim, full.Message, progress.BytesProven, _noRoomDelay);
            Publish(claim, DownloadEventKind.Parked, progress.BytesProven, full.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.DiskFailed(logger, claim.Key, node.Id, claim.Epoch, e);
            await RetryOrFailAsync(session, claim, $"the disk of node '{node.Id}' failed: {e.Message}", 0, stopping);
        }
        catch (Exception e) when (e is not (LeaseLostException or NpgsqlException or OperationCanceledException))
        {
            // Whatever it is, it has to do with this file: its attempts end, and the other files go on.
            Log.Fault(logger, claim.Key, node.Id, claim.Epoch, e);
            await RetryOrFailAsync(session, claim, $"node '{node.Id}' met a fault: {e.Message}", 0, stopping);
        }
    }

    /// <summary>Runs the transfer, keeps asking whether the claim still stands, and tells the transfer where else the file is by then.</summary>
    private async Task<TransferOutcome> TransferAsync(
        LeaseSession session,
        ClaimedReplica claim,
        TransferProgress progress,
        CancellationTokenSource abort
    )
    {
        var running = transfers.RunAsync(claim, progress, abort.Token);
        try
        {
            while (true)
            {
                try
                {
                    return await running.WaitAsync(_checkPeriod, time, CancellationToken.None);
                }
                catch (TimeoutException) when (!running.IsCompleted)
                {
                    if (await queue.ReportProgressAsync(session, claim, progress.BytesProven, abort.Token) is { } now)
                    {
                        transfers.Update(claim.Key, now);
                    }
                    else
                    {
                        await abort.CancelAsync();
                    }
                }
            }
        }
        catch
        {
            // Whatever ended the watch, the transfer ends before its claim does, and lets go of its partial.
            await abort.CancelAsync();
            await running.ContinueWith(
                static ended =>
                {
                    var outcome = ended.IsCompletedSuccessfully ? ended.Result : null;
                    (outcome as TransferOutcome.Proven)?.Partial?.Dispose();
                    _ = ended.Exception;
                },
                CancellationToken.None,
                TaskContinuationOptions.None,
                TaskScheduler.Default
            );
            throw;
        }
    }

    private async Task ConcludeAsync(
        LeaseSession session,
        ClaimedReplica claim,
        TransferOutcome outcome,
        Chain chain,
        CancellationToken cancellationToken
    )
    {
        switch (outcome)
        {
            case TransferOutcome.Proven { Partial: var partial }:
                using (partial)
                {
                    await PublishAsync(session, claim, partial, chain, cancellationToken);
                }

                break;
            case TransferOutcome.Parked parked:
                await ParkAsync(session, claim, parked, cancellationToken);
                break;
            case TransferOutcome.NoRoom full:
                disk.ReportRefused(full.Reason);
                await queue.RetryAsync(
                    session,
                    claim,
                    full.Reason,
                    full.BytesProven,
                    spendsAttempt: false,
                    _noRoomDelay,
                    cancellationToken
                );
                break;
            case TransferOutcome.Failed failed:
                await RetryOrFailAsync(session, claim, failed.Reason, failed.BytesProven, cancellationToken);
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

    /// <summary>Durable, then committed, then visible; all under the content's lock, so that a removal decides before or after, not between.</summary>
    private async Task PublishAsync(
        LeaseSession session,
        ClaimedReplica claim,
        PartialFile? partial,
        Chain chain,
        CancellationToken cancellationToken
    )
    {
        using var contentLock = await store.LockContentAsync(claim.Fingerprint, cancellationToken);
        if (partial is not null)
        {
            store.MakeDurable(partial);
        }
        else if (!store.ConfirmDurable(claim.Fingerprint, claim.Size))
        {
            await queue.RetryAsync(
                session,
                claim,
                "its content was deleted",
                0,
                spendsAttempt: false,
                TimeSpan.Zero,
                cancellationToken
            );
            return;
        }

        var claimsNext = !cancellationToken.IsCancellationRequested && disk.AllowsDownloads();
        var (published, next) = await queue.PublishAsync(session, claim, claimsNext, cancellationToken);
        chain.Next = next;
        if (published)
        {
            store.Show(claim.Key, claim.Fingerprint);
            Log.Stored(logger, claim.Key, node.Id, claim.Epoch, claim.Size);
            trials.Forget(claim.Key);
            Publish(claim, DownloadEventKind.Done, claim.Size);
            return;
        }

        Log.NotPublished(logger, claim.Key, node.Id, claim.Epoch);
        if (!await replicas.RefersToAsync(node.Id, claim.Fingerprint, except: null, cancellationToken))
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
    private async Task AbandonAsync(
        LeaseSession session,
        ClaimedReplica claim,
        TransferProgress progress,
        CancellationToken stopping
    )
    {
        // Whatever ended the claim tells why.
        events.Forget(claim.Key);
        if (session.Lost.IsCancellationRequested)
        {
            Log.LeaseLost(logger, claim.Key, node.Id, claim.Epoch);
            throw new LeaseLostException($"{session.ApplicationName} lost its lock on {claim.Key}.");
        }

        var reason = stopping.IsCancellationRequested ? "its node stopped" : "its claim ended";
        Log.Abandoned(logger, claim.Key, node.Id, claim.Epoch, reason);
        await GiveBackAsync(session, claim, reason, progress.BytesProven, TimeSpan.Zero);
    }

    /// <summary>Gives a claim back also while stopping. One that has ended is only unlocked.</summary>
    private async Task GiveBackAsync(LeaseSession session, ClaimedReplica claim, string reason, long bytesProven, TimeSpan delay)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3), time);
        await queue.RetryAsync(session, claim, reason, bytesProven, spendsAttempt: false, delay, limit.Token);
    }

    private void Publish(ClaimedReplica claim, DownloadEventKind kind, long bytesProven, string? reason = null) =>
        events.Publish(new DownloadEvent(claim.Key, kind, Source: null, bytesProven, claim.Size, reason, Ranges: null));

    /// <summary>What was claimed in the round trip that published a file. It is the lane's, whatever becomes of the rest of that file.</summary>
    private sealed class Chain
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
