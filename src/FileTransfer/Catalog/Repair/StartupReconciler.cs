using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;

namespace FileTransfer.Catalog.Repair;

/// <summary>Makes disk and catalog agree, whenever a node becomes present: after a start, a crash, or a time without the database.</summary>
/// <remarks>
/// A stored replica without its content is wanted again, where its node still wants the file. One whose content is there becomes visible again. A visible file that is not
/// stored is hidden. Contents that no file refers to are the <see cref="OrphanCollector"/>'s. Partials of files that are not wanted here any more are dropped.
/// </remarks>
public sealed partial class StartupReconciler(
    ReplicaTable replicas,
    ChunkStore store,
    DamagedContents damaged,
    NodeId node,
    ILogger<StartupReconciler> logger
)
{
    private const int PageSize = 1000;

    /// <summary>Whether it has been done since the start: only then the node has joined its cluster, and the catalog is this folder's.</summary>
    public bool HasRun { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await ShowStoredAsync(cancellationToken);
        await HideOthersAsync(cancellationToken);
        HasRun = true;
    }

    /// <summary>While the node runs: what is visible and not stored is hidden, then what is stored is shown or, without its content, wanted again.</summary>
    public async Task CompareAsync(CancellationToken cancellationToken)
    {
        await HideOthersAsync(cancellationToken);
        await ShowStoredAsync(cancellationToken);
    }

    private async Task ShowStoredAsync(CancellationToken cancellationToken)
    {
        FileKey? after = null;
        while (true)
        {
            var page = await replicas.StoredAsync(node, after, PageSize, cancellationToken);
            foreach (var (key, fingerprint, size) in page)
            {
                if (store.Contains(fingerprint, size))
                {
                    store.TryLinkVisible(key, fingerprint);
                }
                else if (store.Holds(fingerprint))
                {
                    // Not of the size that its file says, or no file at all: it is proven, and set aside where it is damaged.
                    await damaged.ExamineAsync(
                        fingerprint,
                        size,
                        "it was looked at while disk and catalog were compared",
                        cancellationToken
                    );
                }
                else
                {
                    foreach (
                        var lost in await damaged.MarkMissingAsync(
                            fingerprint,
                            ReplicaTransitions.LostFromDisk,
                            cancellationToken
                        )
                    )
                    {
                        store.Unlink(lost);
                    }
                }
            }

            if (page.Count < PageSize)
            {
                return;
            }

            after = page[^1].Key;
        }
    }

    private async Task HideOthersAsync(CancellationToken cancellationToken)
    {
        foreach (var keys in store.VisibleFiles().Chunk(PageSize))
        {
            foreach (var key in await replicas.NotInStateAsync(node, keys, [ReplicaState.Stored], cancellationToken))
            {
                store.Unlink(key);
                Log.Unlinked(logger, key, node);
            }
        }

        foreach (var keys in store.Partials().Select(partial => partial.Key).Distinct().Chunk(PageSize))
        {
            ReplicaState[] mayResume = [ReplicaState.Wanted, ReplicaState.Downloading, ReplicaState.Failed, ReplicaState.Paused];
            foreach (var key in await replicas.NotInStateAsync(node, keys, mayResume, cancellationToken))
            {
                store.DiscardPartials(key);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1240, LogLevel.Information, "Unlinked {FileKey} at {Node}: the catalog does not list it as stored here")]
        public static partial void Unlinked(ILogger logger, FileKey fileKey, NodeId node);
    }
}
