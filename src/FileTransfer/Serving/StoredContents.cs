using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;

namespace FileTransfer.Serving;

/// <summary>Opens stored files by key. What is visible in the store is served without asking the database, also while that is away.</summary>
public sealed class StoredContents(
    ChunkStore store,
    FileCatalog catalog,
    ReplicaTable replicas,
    DamagedContents damaged,
    NodeId here
)
{
    /// <summary>The content, or the problem that says why it cannot be read here. What turns out to be damaged is dealt with first.</summary>
    /// <param name="proven">Whether the content proves itself as it is read; not for a reader who proves it himself.</param>
    /// <exception cref="ContentDamagedException">It reads as damaged and as right by turns.</exception>
    public async Task<(OpenContent? Content, ProblemHttpResult? Problem)> OpenAsync(
        FileKey key,
        bool proven,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await TryOpenAsync(key, proven, cancellationToken);
        }
        catch (ContentDamagedException damage)
        {
            await damaged.ExamineAsync(damage.Fingerprint, size: null, $"it was opened, and {damage.Reason}", cancellationToken);
        }

        return await TryOpenAsync(key, proven, cancellationToken);
    }

    /// <summary>Of many files those that are small and visible, opened together; null where <see cref="OpenAsync"/> has to look.</summary>
    public IEnumerable<OpenContent?> OpenSmall(IReadOnlyList<FileKey> keys, bool proven) =>
        store.TryOpenSmall(keys).Select(content => content is null ? null : Proven(content, proven));

    private async Task<(OpenContent? Content, ProblemHttpResult? Problem)> TryOpenAsync(
        FileKey key,
        bool proven,
        CancellationToken cancellationToken
    )
    {
        if (store.TryOpen(key) is { } visible)
        {
            return (Proven(visible, proven), null);
        }

        var file = await catalog.FindAsync(key, cancellationToken);
        var replica = await replicas.FindAsync(here, key, cancellationToken);
        if (replica?.State == ReplicaState.Stored)
        {
            if (store.TryOpen(file!.Fingerprint) is { } stored)
            {
                if (stored.Size != file.Size)
                {
                    var found = stored.Size;
                    stored.Dispose();
                    throw new ContentDamagedException(file.Fingerprint, $"it has {found} bytes instead of {file.Size}");
                }

                // Committed, but not made visible: its process ended in between, or is about to, or the folder does not know it yet.
                var content = Proven(stored, proven);
                await ShowAsync(key, file.Fingerprint, cancellationToken);
                return (content, null);
            }

            await damaged.MarkMissingAsync(file.Fingerprint, ReplicaTransitions.LostFromDisk, cancellationToken);
            replica = await replicas.FindAsync(here, key, cancellationToken);
        }

        return (null, FileProblems.NotReadable(key, file, replica));
    }

    /// <summary>Makes it visible. Under the content's lock, as a removal hides it, and only while the file is stored.</summary>
    private async Task ShowAsync(FileKey key, Fingerprint fingerprint, CancellationToken cancellationToken)
    {
        using var contentLock = await store.LockContentAsync(fingerprint, cancellationToken);
        if (await replicas.StateOfAsync(here, key, cancellationToken) == ReplicaState.Stored)
        {
            store.MakeVisible(key);
        }
    }

    private OpenContent Proven(OpenContent content, bool proven)
    {
        if (!proven)
        {
            return content;
        }

        try
        {
            store.Prove(content);
            return content;
        }
        catch
        {
            content.Dispose();
            throw;
        }
    }
}
