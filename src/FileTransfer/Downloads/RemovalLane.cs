using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Cluster;

namespace FileTransfer.Downloads;

/// <summary>Deletes the bytes of removed files, one at a time, under the same lock as a download of them would take.</summary>
public sealed partial class RemovalLane(
    ReplicaQueue queue,
    ChunkStore store,
    UnusedContents unused,
    ThisNode node,
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
        if (await queue.IsStillRemovingAsync(session, claim, cancellationToken))
        {
            store.Hide(claim.Key);
            store.DiscardPartials(claim.Key);
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
    }
}
