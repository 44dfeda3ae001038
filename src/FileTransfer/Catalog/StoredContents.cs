using FileTransfer.Chunks;
using FileTransfer.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FileTransfer.Catalog;

/// <summary>Opens stored files by key. What is visible in the store is served without asking the database, also while that is away.</summary>
public sealed class StoredContents(ChunkStore store, FileCatalog catalog, Replicas replicas, QueueSignal queue, NodeId here)
{
    /// <summary>The content, or the problem that says why it cannot be read here.</summary>
    public async Task<(StoredContent? Content, ProblemHttpResult? Problem)> OpenAsync(
        FileKey key,
        CancellationToken cancellationToken
    )
    {
        if (store.TryOpen(key) is { } visible)
        {
            return (visible, null);
        }

        var file = await catalog.FindAsync(key, cancellationToken);
        var replica = (await replicas.OfAsync(key, cancellationToken)).FirstOrDefault(candidate => candidate.Node == here);
        if (replica?.State == ReplicaState.Stored)
        {
            if (store.TryOpen(file!.Fingerprint) is { } stored)
            {
                // Committed, but not made visible: its process ended in between, or is about to.
                return (stored, null);
            }

            if (await replicas.LoseAsync(here, key, Replicas.LostFromDisk, cancellationToken) is { } state)
            {
                queue.Set();
                replica = replica with { State = state, Reason = Replicas.LostFromDisk };
            }
        }

        return (null, FileProblems.NotReadable(key, file, replica));
    }
}
