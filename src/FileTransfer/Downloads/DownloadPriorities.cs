using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads;

/// <summary>What a person puts first, or last, at this node: in the queue, and among what is under way.</summary>
public sealed class DownloadPriorities(
    FileCatalog catalog,
    ReplicaTransitions transitions,
    DownloadEngine engine,
    QueueSignal signal,
    NodeId node
)
{
    /// <returns>The files whose priority was set, and how many downloads of lower ones gave their lanes back.</returns>
    public async Task<(long Files, int Downloads)> SetAsync(
        ByteString? bucket,
        FileKey? file,
        int priority,
        bool changes,
        CancellationToken cancellationToken
    )
    {
        var files = await transitions.PrioritizeAsync(node, bucket, file, priority, changes, cancellationToken);
        if (!changes || files == 0)
        {
            return (files, 0);
        }

        IEnumerable<FileKey> running = file is { } one
            ? [one]
            : (await catalog.BucketsOfAsync(engine.Running, cancellationToken))
                .Where(found => found.Bucket == bucket)
                .Select(found => found.Key);
        var begun = engine.Prioritize(running, priority);
        var yielded = engine.Yield(priority, files - begun);
        signal.Set();
        return (files, yielded);
    }
}
