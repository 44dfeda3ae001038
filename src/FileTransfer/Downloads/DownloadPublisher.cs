using System.Diagnostics;
using System.Runtime.ExceptionServices;
using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Cluster;
using FileTransfer.Downloads.Progress;
using FileTransfer.Feed;

namespace FileTransfer.Downloads;

/// <summary>Turns proven contents into stored files: durable, then committed, then visible.</summary>
public sealed partial class DownloadPublisher(
    ReplicaQueue queue,
    FileCatalog catalog,
    FolderLedger folder,
    UnusedContents unused,
    AttemptCompletion completion,
    FailedFiles failed,
    PendingAddPublisher adds,
    DownloadEvents events,
    SourceAttemptHistory history,
    ChunkStore store,
    DiskPressure disk,
    Database database,
    ThisNode node,
    ILogger<DownloadPublisher> logger
)
{
    private static readonly PublishResult _nothing = new(new HashSet<FileKey>(), null);

    /// <summary>Publishes under the contents' locks, so that a removal decides before or after, not between.</summary>
    /// <param name="claimNext">How much the lane may claim in the same round trip.</param>
    /// <returns>What was published and claimed. What was claimed is the lane's, whatever became of the others.</returns>
    internal async Task<PublishResult> PublishAsync(
        LockConnection session,
        List<DownloadAttempt> proven,
        ClaimLimit claimNext,
        CancellationToken stopping
    )
    {
        using var trace = DownloadTraces.Together("publish", proven, static attempt => attempt.Trace);
        var locks = new List<IDisposable>();
        try
        {
            // In one order everywhere, so that no two lanes wait for each other.
            foreach (var content in proven.Select(attempt => attempt.Claim.Fingerprint).Distinct().Order())
            {
                locks.Add(await store.LockContentAsync(content, stopping));
            }

            var durable = await MakeDurableAsync(session, proven, stopping);
            return durable.Count == 0 ? _nothing : await CommitAsync(session, durable, claimNext, stopping);
        }
        catch (OperationCanceledException e) when (stopping.IsCancellationRequested)
        {
            foreach (var attempt in proven)
            {
                await completion.FaultAsync(session, attempt, e, stopping);
            }

            return _nothing;
        }
        finally
        {
            locks.ForEach(taken => taken.Dispose());
        }
    }

    /// <summary>Those that are durable now; the claims of the others have been ended.</summary>
    private async Task<List<DownloadAttempt>> MakeDurableAsync(
        LockConnection session,
        List<DownloadAttempt> proven,
        CancellationToken stopping
    )
    {
        // The folder remembers the files before the catalog calls them stored; small contents come with it, larger ones at the same time.
        var files = await ForLedgerAsync(proven.ConvertAll(attempt => attempt.Claim), stopping);
        var recording = folder.RecordAsync(files, [.. proven.Where(IsSmall).Select(attempt => attempt.Bytes!)]);
        var faults = MakeDurableTogether(proven.FindAll(attempt => attempt.Bytes is not null && !IsSmall(attempt)));
        try
        {
            await recording;
        }
        catch (IOException fault)
        {
            faults = proven.ToDictionary(attempt => attempt, Exception (_) => fault);
        }

        var durable = new List<DownloadAttempt>(proven.Count);
        foreach (var attempt in proven)
        {
            try
            {
                if (faults.TryGetValue(attempt, out var fault))
                {
                    ExceptionDispatchInfo.Throw(fault);
                }

                if (attempt.Partial is { } partial)
                {
                    store.MakeDurable(partial);
                }
                else if (attempt.Bytes is null && !store.ConfirmDurable(attempt.Claim.Fingerprint, attempt.Claim.Size))
                {
                    // It was found in the store.
                    await completion.ReleaseAsync(session, attempt, "its content was deleted", TimeSpan.Zero);
                    continue;
                }

                durable.Add(attempt);
            }
            catch (Exception e)
            {
                await completion.FaultAsync(session, attempt, e, stopping);
            }
        }

        return durable;
    }

    private async Task<IReadOnlyList<LedgerFile>> ForLedgerAsync(List<ClaimedReplica> claims, CancellationToken stopping)
    {
        var unknown = claims.FindAll(claim => claim.Row is null).ConvertAll(claim => claim.Key);
        var known = claims.FindAll(claim => claim.Row is not null).ConvertAll(claim => catalog.ForLedger(claim.Row!));
        return unknown.Count == 0 ? known : [.. known, .. await catalog.ForLedgerAsync(node.Id, unknown, stopping)];
    }

    private static bool IsSmall(DownloadAttempt attempt) => attempt.Bytes is not null && ChunkStore.IsSmall(attempt.Claim.Size);

    /// <summary>Those that are not durable, and why. What fails of one of them, a folder in its place, say, is not the others' fault.</summary>
    private Dictionary<DownloadAttempt, Exception> MakeDurableTogether(List<DownloadAttempt> attempts)
    {
        try
        {
            store.MakeDurable(attempts.ConvertAll(attempt => attempt.Bytes!));
            return [];
        }
        catch (Exception fault) when (attempts.Count > 1 && fault is not DiskFullException && DiskFault.IsOfDisk(fault))
        {
            return attempts.SelectMany(attempt => MakeDurableTogether([attempt])).ToDictionary();
        }
        catch (Exception fault)
        {
            return attempts.ToDictionary(attempt => attempt, _ => fault);
        }
    }

    private async Task<PublishResult> CommitAsync(
        LockConnection session,
        List<DownloadAttempt> durable,
        ClaimLimit claimNext,
        CancellationToken stopping
    )
    {
        var next = !stopping.IsCancellationRequested && disk.AllowsDownloads() ? claimNext : ClaimLimit.None;
        var result = await queue.PublishAsync(session, durable.ConvertAll(attempt => attempt.Claim), next, stopping);
        foreach (var other in result.Woken)
        {
            database.Notifications.Send(ReplicaNotifications.Ready, other);
        }

        adds.Stored(result.Published);
        foreach (var attempt in durable)
        {
            var claim = attempt.Claim;
            Activity.Current = attempt.Trace;
            try
            {
                if (result.Published.Contains(claim.Key))
                {
                    ShowStored(claim);
                    attempt.Partial?.Arriving?.Complete();
                }
                else
                {
                    Log.NotPublished(logger, claim.Key, node.Id, claim.Epoch);
                    await unused.ForgetAsync(claim.Key, claim.Fingerprint, claim.Size, stopping);
                }
            }
            catch (Exception e) when (DiskFault.IsOfDisk(e))
            {
                // It is stored, and its claim is over: nothing is released. It becomes visible when it can.
                Log.NotVisible(logger, claim.Key, node.Id, e);
                disk.ReportTrouble(e);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // The orphan collector deletes a content that nothing refers to.
            }
        }

        return result;
    }

    private void ShowStored(ClaimedReplica claim)
    {
        store.MakeVisible(claim.Key);
        Log.Stored(logger, claim.Key, node.Id, claim.Epoch, claim.Size);
        DownloadMetrics.Stored(claim.Size);
        history.Forget(claim.Key);
        failed.Stored(claim.Key);
        events.Publish(new DownloadEvent(claim.Key, DownloadEventKind.Done, null, claim.Size, claim.Size, null, null));
    }

    private static partial class Log
    {
        [LoggerMessage(1620, LogLevel.Information, "Stored {FileKey} at {Node} in epoch {Epoch}: {Size} bytes")]
        public static partial void Stored(ILogger logger, FileKey fileKey, NodeId node, long epoch, long size);

        [LoggerMessage(1622, LogLevel.Information, "Did not publish {FileKey} at {Node} in epoch {Epoch}: its claim had ended")]
        public static partial void NotPublished(ILogger logger, FileKey fileKey, NodeId node, long epoch);

        [LoggerMessage(1621, LogLevel.Error, "Stored {FileKey} at {Node}, but could not make it visible to readers")]
        public static partial void NotVisible(ILogger logger, FileKey fileKey, NodeId node, Exception exception);
    }
}
