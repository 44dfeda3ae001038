using System.Runtime.ExceptionServices;
using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Cluster;
using FileTransfer.Downloads.Progress;
using FileTransfer.Feed;
using FileTransfer.Identity;
using FileTransfer.Postgres;

namespace FileTransfer.Downloads;

/// <summary>Turns proven contents into stored files: durable, then committed, then visible.</summary>
public sealed partial class DownloadPublisher(
    ReplicaQueue queue,
    FileCatalog catalog,
    FolderLedger folder,
    ReplicaTable replicas,
    AttemptCompletion endings,
    FailedFiles failed,
    PendingAddPublisher adds,
    DownloadEvents events,
    SourceAttemptHistory trials,
    ChunkStore store,
    DiskPressure disk,
    Database database,
    ThisNode node,
    ILogger<DownloadPublisher> logger
)
{
    /// <summary>Publishes under the contents' locks, so that a removal decides before or after, not between.</summary>
    internal async Task PublishAsync(LockConnection session, List<LaneJob> proven, NextClaim beside, CancellationToken stopping)
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
                await CommitAsync(session, durable, beside, stopping);
            }
        }
        catch (OperationCanceledException e) when (stopping.IsCancellationRequested)
        {
            foreach (var job in proven)
            {
                await endings.FaultAsync(session, job, e, stopping);
            }
        }
        finally
        {
            locks.ForEach(taken => taken.Dispose());
        }
    }

    /// <summary>Those that are durable now; the others have been dealt with.</summary>
    private async Task<List<LaneJob>> MakeDurableAsync(LockConnection session, List<LaneJob> proven, CancellationToken stopping)
    {
        // The folder remembers the files before the catalog calls them stored; both are made durable at the same time.
        var files = await catalog.ForLedgerAsync(node.Id, proven.ConvertAll(job => job.Claim.Key), stopping);
        var recorded = RecordAsync(files);
        var faults = MakeDurableTogether(proven.FindAll(job => job.Outcome is AttemptOutcome.ProvenInMemory));
        Exception? notRecorded = null;
        try
        {
            await recorded;
        }
        catch (IOException e)
        {
            notRecorded = e;
        }

        var durable = new List<LaneJob>(proven.Count);
        foreach (var job in proven)
        {
            try
            {
                if (notRecorded is not null)
                {
                    ExceptionDispatchInfo.Throw(notRecorded);
                }

                switch (job.Outcome)
                {
                    case AttemptOutcome.ProvenInMemory when faults.TryGetValue(job, out var fault):
                        ExceptionDispatchInfo.Throw(fault);
                        break;
                    case AttemptOutcome.Proven { Partial: var partial }:
                        store.MakeDurable(partial);
                        break;
                    case AttemptOutcome.Found when !store.ConfirmDurable(job.Claim.Fingerprint, job.Claim.Size):
                        await endings.GiveBackAsync(session, job.Claim, "its content was deleted", 0, TimeSpan.Zero);
                        continue;
                }

                durable.Add(job);
            }
            catch (Exception e)
            {
                await endings.FaultAsync(session, job, e, stopping);
            }
        }

        return durable;
    }

    private async Task RecordAsync(IReadOnlyList<LedgerFile> files) => await folder.RecordAsync(files);

    /// <summary>Those that are not durable, and why. What fails of one of them, a folder in its place, say, is not the others' fault.</summary>
    private Dictionary<LaneJob, Exception> MakeDurableTogether(List<LaneJob> jobs)
    {
        var faults = new Dictionary<LaneJob, Exception>();
        try
        {
            store.MakeDurable(jobs.ConvertAll(job => ((AttemptOutcome.ProvenInMemory)job.Outcome).Bytes));
        }
        catch (Exception fault) when (jobs.Count > 1 && fault is not DiskFullException && DiskFault.IsOfDisk(fault))
        {
            foreach (var job in jobs)
            {
                foreach (var (failed, why) in MakeDurableTogether([job]))
                {
                    faults.Add(failed, why);
                }
            }
        }
        catch (Exception fault)
        {
            jobs.ForEach(job => faults.Add(job, fault));
        }

        return faults;
    }

    private async Task CommitAsync(LockConnection session, List<LaneJob> durable, NextClaim beside, CancellationToken stopping)
    {
        var claims = durable.ConvertAll(job => job.Claim);
        var next = !stopping.IsCancellationRequested && disk.AllowsDownloads() ? beside.Room : ClaimLimit.None;
        var result = await queue.PublishAsync(session, claims, next, stopping);
        beside.Next = result.Next;
        foreach (var other in result.Woken)
        {
            database.Notifications.Send(ReplicaQueue.ReadyChannel, other.Value);
        }

        adds.Wake();
        foreach (var job in durable)
        {
            try
            {
                await ConcludePublishedAsync(job.Claim, result.Published.Contains(job.Claim.Key), stopping);
            }
            catch (Exception e) when (DiskFault.IsOfDisk(e))
            {
                // It is stored, and its claim is over: nothing is given back. It becomes visible when it can.
                Log.NotShown(logger, job.Claim.Key, node.Id, e);
                disk.ReportTrouble(e);
            }
        }
    }

    private async Task ConcludePublishedAsync(ClaimedReplica claim, bool isPublished, CancellationToken stopping)
    {
        if (isPublished)
        {
            store.TryShow(claim.Key, claim.Fingerprint);
            Log.Stored(logger, claim.Key, node.Id, claim.Epoch, claim.Size);
            trials.Forget(claim.Key);
            failed.Stored(claim.Key);
            events.Publish(
                new DownloadEvent(
                    claim.Key,
                    DownloadEventKind.Done,
                    Source: null,
                    claim.Size,
                    claim.Size,
                    Reason: null,
                    Ranges: null
                )
            );
            return;
        }

        Log.NotPublished(logger, claim.Key, node.Id, claim.Epoch);
        folder.Forget(claim.Key, claim.Fingerprint, claim.Size);
        if (
            !folder.RefersTo(claim.Fingerprint, claim.Key)
            && !await replicas.RefersToAsync(node.Id, claim.Fingerprint, except: null, stopping)
        )
        {
            store.DeleteContent(claim.Fingerprint);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1620, LogLevel.Information, "Stored {FileKey} at {Node} in epoch {Epoch}: {Size} bytes")]
        public static partial void Stored(ILogger logger, FileKey fileKey, NodeId node, long epoch, long size);

        [LoggerMessage(1621, LogLevel.Error, "Stored {FileKey} at {Node}, but its link could not be made")]
        public static partial void NotShown(ILogger logger, FileKey fileKey, NodeId node, Exception exception);

        [LoggerMessage(
            1622,
            LogLevel.Information,
            "Did not publish {FileKey} at {Node} in epoch {Epoch}: the claim ended before"
        )]
        public static partial void NotPublished(ILogger logger, FileKey fileKey, NodeId node, long epoch);
    }
}
