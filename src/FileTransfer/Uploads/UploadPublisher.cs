using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Feed;
using FileTransfer.Postgres;

namespace FileTransfer.Uploads;

/// <summary>Publishes uploaded contents: durable, then committed together with the file's Add, then visible.</summary>
public sealed partial class UploadPublisher(
    ChunkStore store,
    FolderLedger folder,
    FileCommands commands,
    ReplicaTable replicas,
    DamagedContents damaged,
    UnusedContents unused,
    ReplicaChanges changes,
    NodeId node,
    TimeProvider time,
    ILogger<UploadPublisher> logger
)
{
    /// <summary>Publishes a file whose content is in the store already, under another key or from an upload that was cut off late.</summary>
    /// <returns>Null when the content is not here, or not right.</returns>
    public async Task<UploadOutcome?> TryPublishHeldAsync(FileRecord file, CancellationToken cancellationToken)
    {
        // Proven before the lock is taken: a large content takes its time.
        if (!store.Holds(file.Fingerprint) || !await damaged.IsIntactAsync(file.Fingerprint, file.Size, cancellationToken))
        {
            return null;
        }

        using var contentLock = await store.LockContentAsync(file.Fingerprint, cancellationToken);
        if (!store.Contains(file.Fingerprint, file.Size))
        {
            return null;
        }

        var recorded = RecordAsync(file);
        if (!store.ConfirmDurable(file.Fingerprint, file.Size))
        {
            await recorded;
            return null;
        }

        await recorded;
        return await CommitAsync(file, registersAgain: false, cancellationToken);
    }

    /// <summary>Publishes a proven content. <paramref name="makeDurable"/> brings it into the store.</summary>
    /// <param name="registersAgain">Whether a file that was removed while its content came is registered again: the upload carries its metadata.</param>
    public async Task<UploadOutcome> PublishAsync(
        FileRecord file,
        Action makeDurable,
        bool registersAgain,
        CancellationToken cancellationToken
    )
    {
        using var contentLock = await store.LockContentAsync(file.Fingerprint, cancellationToken);
        var recorded = RecordAsync(file);
        makeDurable();
        await recorded;
        return await CommitAsync(file, registersAgain, cancellationToken);
    }

    /// <summary>The folder remembers the file before the catalog calls it stored; both are made durable at the same time.</summary>
    private Task RecordAsync(FileRecord file) =>
        folder.RecordAsync([
            new LedgerFile(file.Key, file.Metadata, file.Generation, IsPinned: true, Added: null, time.GetUtcNow()),
        ]);

    /// <summary>Whether the content of a file that is stored here is right: its upload would bring nothing.</summary>
    public Task<bool> IsIntactAsync(FileRecord file, CancellationToken cancellationToken) =>
        damaged.IsIntactAsync(file.Fingerprint, file.Size, cancellationToken);

    private async Task<UploadOutcome> CommitAsync(FileRecord file, bool registersAgain, CancellationToken cancellationToken)
    {
        UploadCommit commit;
        try
        {
            commit = await commands.CommitUploadAsync(file, registersAgain, cancellationToken);
        }
        catch (CommitUnconfirmedException)
        {
            // Whoever reads the catalog sees it, so what belongs to a stored file follows, and the uploader is told to ask again.
            if (await replicas.StateOfAsync(node, file.Key, CancellationToken.None) == ReplicaState.Stored)
            {
                ShowStored(file);
            }

            throw;
        }

        if (commit != UploadCommit.Removed)
        {
            ShowStored(file);
            return new UploadOutcome.Stored();
        }

        Log.Removed(logger, file.Key, node);
        await unused.ForgetAsync(file.Key, file.Fingerprint, file.Size, cancellationToken);
        return new UploadOutcome.Removed();
    }

    /// <summary>Committed: what goes wrong from here on takes nothing of that back.</summary>
    private void ShowStored(FileRecord file)
    {
        store.TryLinkVisible(file.Key, file.Fingerprint);
        DiscardPartials(file.Key);
        changes.PublishUploaded(new ReplicaChange(file.Key, file.Size));
        Log.Stored(logger, file.Key, node, file.Size);
    }

    private void DiscardPartials(FileKey key)
    {
        try
        {
            store.DiscardPartials(key);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Log.PartialsLeft(logger, fault, key, node);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1500, LogLevel.Warning, "Could not remove leftover uploads of {FileKey} at {Node}; the next start will")]
        public static partial void PartialsLeft(ILogger logger, Exception fault, FileKey fileKey, NodeId node);

        [LoggerMessage(1501, LogLevel.Information, "Stored {FileKey} at {Node} from an upload: {Size} bytes")]
        public static partial void Stored(ILogger logger, FileKey fileKey, NodeId node, long size);

        [LoggerMessage(1502, LogLevel.Information, "Did not store {FileKey} at {Node}: it was removed during its upload")]
        public static partial void Removed(ILogger logger, FileKey fileKey, NodeId node);
    }
}
