using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Cluster;
using FileTransfer.Downloads.Progress;

namespace FileTransfer.Downloads;

/// <summary>Wanted contents that are in the store already: under another key, or in a folder that came from elsewhere. They count once they are proven.</summary>
public sealed partial class LocalContents(
    ChunkStore store,
    ReplicaQueue queue,
    DamagedContents damaged,
    SourceAttemptHistory history,
    ThisNode node,
    ILogger<LocalContents> logger
)
{
    /// <summary>From so many bytes on it is worth a line in the log.</summary>
    private const long LoggedAbove = 64L * 1024 * 1024;

    /// <summary>
    /// Whether the content of a claimed replica is here and right; it is proven at the speed of hashing, unless that was just done. One that
    /// is damaged is set aside.
    /// </summary>
    internal async Task<bool> IsProvenAsync(DownloadAttempt attempt)
    {
        var claim = attempt.Claim;
        if (!store.Holds(claim.Fingerprint))
        {
            return false;
        }

        if (claim.Size >= LoggedAbove)
        {
            Log.Proving(logger, claim.Key, node.Id, claim.Size);
        }

        history.Record(claim.Key, "the own data folder", "has the content; all of it is proven before it counts");
        var finding = await store.ProveAsync(
            claim.Fingerprint,
            claim.Size,
            always: false,
            attempt.FoundHere,
            pace: null,
            attempt.Cancelled
        );
        switch (finding)
        {
            case ContentFinding.Intact { Size: var found } when found == claim.Size:
                return true;
            case ContentFinding.Damaged { Reason: var reason }:
                history.Record(claim.Key, "the own data folder", $"had the content, damaged, and set it aside: {reason}");
                await damaged.SetAsideAsync(claim.Fingerprint, reason, attempt.Cancelled);
                break;
        }

        attempt.FoundHere(0);
        return false;
    }

    /// <summary>Looks in the folder for what is wanted and no node is known to have.</summary>
    /// <returns>How many replicas became ready.</returns>
    public async Task<int> LookAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var ready = 0;
        while (await queue.NotLookedForHereAsync(connection, cancellationToken) is { Count: > 0 } page)
        {
            var here = page.ToLookup(replica => store.Holds(replica.Fingerprint), replica => replica.Key);
            await queue.LookedForHereAsync(connection, [.. here[true]], [.. here[false]], cancellationToken);
            ready += here[true].Count();
        }

        return ready;
    }

    private static partial class Log
    {
        [LoggerMessage(
            1650,
            LogLevel.Information,
            "The content of {FileKey} is already in the data folder of {Node}; verifying its {Size} bytes"
        )]
        public static partial void Proving(ILogger logger, FileKey fileKey, NodeId node, long size);
    }
}
