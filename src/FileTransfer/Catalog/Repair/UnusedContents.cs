using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Catalog.Repair;

/// <summary>Deletes the content of a file that this node does not have, or not any more.</summary>
public sealed class UnusedContents(ReplicaTable replicas, ChunkStore store, FolderLedger folder, NodeId node)
{
    /// <summary>
    /// The folder forgets the file, and its content goes unless another one refers to it, in the folder or in the catalog. The caller holds the
    /// content's lock.
    /// </summary>
    public async Task ForgetAsync(FileKey key, Fingerprint content, long size, CancellationToken cancellationToken)
    {
        folder.Forget(key, content, size);
        if (!folder.RefersTo(content, key) && !await replicas.KeepsAsync(node, content, cancellationToken))
        {
            store.DeleteContent(content);
        }
    }
}
