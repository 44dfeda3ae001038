using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Cluster;

namespace FileTransfer.Downloads;

/// <summary>Hides removed files and deletes their bytes, one at a time, under the same lock as a download of them would take.</summary>
/// <remarks>
/// Of a file that was removed from the cluster, a content that is whole here is kept for <see cref="StoreLimits.TrashPeriod"/>: nobody can read it, and
/// a restored file finds it. Everything else goes at once, a partial always.
/// </remarks>
public sealed partial class RemovalLane(
    ReplicaQueue queue,
    ChunkStore store,
    UnusedContents unused,
    FolderLedger folder,
    ThisNode node,
    IOptions<StoreOptions> options,
    ILogger<RemovalLane> logger
)
{
    /// <summary>Takes one removed replica and ends it.</summary>
    /// <returns>Whether there was one. Of one that is being downloaded, the lane lets go within a moment.</returns>
    public async Task<bool> StepAsync(LockConnection session, CancellationToken cancellationToken)
    {
        if (await queue.ClaimRemovingAsync(session, cancellationToken) is not ClaimOutcome.Claimed { Replicas: [var claim] })
        {
            return false;
        }

        await RemoveAsync(session, claim, cancellationToken);
        return true;
    }

    private async Task RemoveAsync(LockConnection session, ClaimedReplica claim, CancellationToken cancellationToken)
    {
        using var contentLock = await store.LockContentAsync(claim.Fingerprint, cancellationToken);
        var period = options.Value.Store.TrashPeriod;
        var step = await queue.StepOfRemovingAsync(session, claim, period, cancellationToken);
        if (step != RemovalStep.None)
        {
            store.Hide(claim.Key);
            store.DiscardPartials(claim.Key);
        }

        if (step == RemovalStep.Keep && store.Contains(claim.Fingerprint, claim.Size))
        {
            folder.Forget(claim.Key, claim.Fingerprint, claim.Size);
            if (await queue.KeepRemovedAsync(session, claim, period, cancellationToken))
            {
                Log.Kept(logger, claim.Key, node.Id, period);
            }

            return;
        }

        if (step != RemovalStep.None)
        {
            await unused.ForgetAsync(claim.Key, claim.Fingerprint, claim.Size, cancellationToken);
        }

        if (await queue.DeleteRemovedAsync(session, claim, cancellationToken))
        {
            Log.Removed(logger, claim.Key, node.Id, claim.Epoch);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1680, LogLevel.Information, "Removed {FileKey} from {Node} in epoch {Epoch}")]
        public static partial void Removed(ILogger logger, FileKey fileKey, NodeId node, long epoch);

        [LoggerMessage(
            1681,
            LogLevel.Information,
            "Removed {FileKey} from {Node}; its content is kept for {Period} after the removal"
        )]
        public static partial void Kept(ILogger logger, FileKey fileKey, NodeId node, TimeSpan period);
    }
}
