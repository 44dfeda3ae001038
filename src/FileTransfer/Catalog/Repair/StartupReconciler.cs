using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;

namespace FileTransfer.Catalog.Repair;

/// <summary>How far a comparison of disk and catalog is.</summary>
/// <param name="Compared">Stored files that were looked at.</param>
/// <param name="Total">Files that the catalog called stored here when it began.</param>
public sealed record ReconciliationProgress(long Compared, long Total);

/// <summary>Makes disk and catalog agree, whenever a node joins: after a start, a crash, or a time without the database.</summary>
/// <remarks>
/// A stored replica without its content is wanted again, where its node still wants the file. One whose content is there becomes visible again. A visible file that is not
/// stored is hidden. Contents that no file refers to are the <see cref="OrphanCollector"/>'s. Partials of files that are not wanted here any more are dropped.
/// <para>
/// Downloads, uploads and removals go on meanwhile. They touch files that are not stored, or are about to be not; this one touches files that are stored, or look
/// visible. Where the two can meet, it decides again under the lock of the file's content, which each of them holds from before its commit until the disk shows it.
/// </para>
/// </remarks>
public sealed partial class StartupReconciler(
    ReplicaTable replicas,
    ChunkStore store,
    DamagedContents damaged,
    NodeId node,
    ILogger<StartupReconciler> logger
) : IDisposable
{
    private const int PageSize = 1000;

    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    /// <summary>Behind which file a comparison goes on that was cut off; null where none was.</summary>
    private FileKey? _resumesAfter;

    /// <summary>Whether it has been done since the start: only then the node has joined its cluster, and the catalog is this folder's.</summary>
    public bool HasRun { get; private set; }

    /// <summary>Null while none is under way.</summary>
    public ReconciliationProgress? Progress { get; private set; }

    /// <summary>Why the last one did not come to its end, in words; null where it did.</summary>
    public string? Fault { get; private set; }

    public void Dispose() => _oneAtATime.Dispose();

    /// <summary>Compares everything once. What was cut off before, by a lost session say, goes on where it was, and is then followed by a whole comparison.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var turn = await _oneAtATime.EnterAsync(cancellationToken);
        try
        {
            if (_resumesAfter is not null)
            {
                await ShowStoredAsync(cancellationToken);
            }

            await ShowStoredAsync(cancellationToken);
            await HideOthersAsync(cancellationToken);
            HasRun = true;
            Fault = null;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Fault = e.Message;
            throw;
        }
        finally
        {
            Progress = null;
        }
    }

    private async Task ShowStoredAsync(CancellationToken cancellationToken)
    {
        var compared = 0L;
        var total = await replicas.CountStoredAsync(node, _resumesAfter, cancellationToken);
        do
        {
            Progress = new ReconciliationProgress(compared, Math.Max(compared, total));
            var page = await replicas.StoredAsync(node, _resumesAfter, PageSize, cancellationToken);
            await ShowAsync(page, cancellationToken);
            compared += page.Count;
            _resumesAfter = page.Count < PageSize ? null : page[^1].Key;
        } while (_resumesAfter is not null);
    }

    private async Task ShowAsync(IReadOnlyList<StoredReplica> page, CancellationToken cancellationToken)
    {
        var hidden = new List<StoredReplica>();
        foreach (var file in page)
        {
            if (!store.Contains(file.Fingerprint, file.Size))
            {
                await ReportAsync(file, cancellationToken);
            }
            else if (store.VisibleContentOf(file.Key) != file.Fingerprint)
            {
                hidden.Add(file);
            }
        }

        if (hidden.Count > 0)
        {
            using var locks = await store.LockContentsAsync(hidden.Select(file => file.Fingerprint), cancellationToken);
            var keys = hidden.ConvertAll(file => file.Key);
            var ended = await replicas.NotInStateAsync(node, keys, [ReplicaState.Stored], cancellationToken);
            foreach (var file in hidden.ExceptBy(ended, file => file.Key))
            {
                store.MakeVisible(file.Key);
            }
        }
    }

    /// <summary>A stored file whose content is not as it should be.</summary>
    private async Task ReportAsync(StoredReplica file, CancellationToken cancellationToken)
    {
        using (await store.LockContentAsync(file.Fingerprint, cancellationToken))
        {
            if (!store.Holds(file.Fingerprint))
            {
                const string reason = ReplicaTransitions.LostFromDisk;
                foreach (var lost in await damaged.MarkMissingAsync(file.Fingerprint, reason, cancellationToken))
                {
                    store.Hide(lost);
                }

                return;
            }
        }

        // Not of the size that its file says, or no file at all: it is proven, and set aside where it is damaged.
        const string doubt = "it was looked at while disk and catalog were compared";
        await damaged.ExamineAsync(file.Fingerprint, file.Size, doubt, cancellationToken);
    }

    private async Task HideOthersAsync(CancellationToken cancellationToken)
    {
        foreach (var keys in store.VisibleFiles().Chunk(PageSize))
        {
            foreach (var key in await replicas.NotInStateAsync(node, keys, [ReplicaState.Stored], cancellationToken))
            {
                await HideAsync(key, cancellationToken);
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

    /// <summary>It may have become stored since it was asked for.</summary>
    private async Task HideAsync(FileKey key, CancellationToken cancellationToken)
    {
        using var contentLock = store.VisibleContentOf(key) is { } fingerprint
            ? await store.LockContentAsync(fingerprint, cancellationToken)
            : null;
        if (await replicas.StateOfAsync(node, key, cancellationToken) != ReplicaState.Stored)
        {
            store.Hide(key);
            Log.Hidden(logger, key, node);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1240, LogLevel.Information, "Hid {FileKey} at {Node}: the catalog does not list it as stored here")]
        public static partial void Hidden(ILogger logger, FileKey fileKey, NodeId node);
    }
}
