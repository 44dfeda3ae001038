using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Feed;
using FileTransfer.Feed.Push;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Uploads;

/// <summary>A proven content on its way into the store, and the file that it is of.</summary>
/// <param name="Bytes">The content, where it is in memory.</param>
/// <param name="MakeDurable">Brings it into the store, where it is not.</param>
public sealed record ProvenUpload(FileKey Key, FileMetadata Metadata, ProvenBytes? Bytes, Action? MakeDurable);

/// <summary>What became of uploads.</summary>
/// <param name="TooMuch">Of those that are more than their buckets may have, the quotas.</param>
public sealed record PublishedUploads(
    IReadOnlyDictionary<FileKey, UploadCommit> Commits,
    IReadOnlyDictionary<FileKey, BucketQuota> TooMuch
);

/// <summary>Publishes uploaded contents: durable, then committed together with their files' Adds, then visible.</summary>
public sealed partial class UploadPublisher(
    ChunkStore store,
    FolderLedger folder,
    FileCommands commands,
    FileCatalog catalog,
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
    public async Task<UploadCommit?> TryPublishHeldAsync(FileRecord file, CancellationToken cancellationToken)
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

        UploadedFile[] files = [UploadOf(file)];
        var recorded = RecordAsync(files, []);
        var isDurable = store.ConfirmDurable(file.Fingerprint, file.Size);
        await recorded;
        return isDurable
            ? (
                await CommitAsync(
                    files,
                    () => commands.CommitUploadsAsync(files, registers: false, cancellationToken),
                    cancellationToken
                )
            )[file.Key]
            : null;
    }

    /// <summary>Publishes the proven content of a file that was registered before. One that was removed while its content came stays so.</summary>
    /// <param name="small">The content where it is a small one.</param>
    /// <param name="makeDurable">Brings a larger one into the store.</param>
    public async Task<UploadCommit> PublishAsync(
        FileRecord file,
        ProvenBytes? small,
        Action makeDurable,
        CancellationToken cancellationToken
    )
    {
        using var trace = UploadTraces.Publish(files: 1);
        using var contentLock = await store.LockContentAsync(file.Fingerprint, cancellationToken);
        UploadedFile[] files = [UploadOf(file)];
        var recorded = RecordAsync(files, small is null ? [] : [small]);
        if (small is null)
        {
            makeDurable();
        }

        await recorded;
        return (
            await CommitAsync(
                files,
                () => commands.CommitUploadsAsync(files, registers: false, cancellationToken),
                cancellationToken
            )
        )[file.Key];
    }

    /// <summary>
    /// Publishes proven contents with files that the uploads themselves describe: those that the cluster does not know, or not any more, are
    /// registered. All of them cost the same few round trips and commits.
    /// </summary>
    /// <param name="uploads">Each file once.</param>
    public async Task<PublishedUploads> PublishAsync(
        IReadOnlyCollection<ProvenUpload> uploads,
        CancellationToken cancellationToken
    )
    {
        var tooMuch = new Dictionary<FileKey, BucketQuota>();
        var commits = await PublishAsync(
            uploads,
            isPinned: true,
            files => CommitWithinQuotasAsync(files, tooMuch, cancellationToken),
            cancellationToken
        );
        return new PublishedUploads(commits, tooMuch);
    }

    /// <summary>Publishes proven contents that came with a page of an upstream's feed, in the commit that applies the page.</summary>
    /// <param name="contents">Each file once.</param>
    /// <exception cref="OutOfOrderException">The page is not the next one of its bin: nothing was applied.</exception>
    /// <exception cref="DiskFullException">There is no room for them: nothing was applied.</exception>
    public Task PublishShippedAsync(
        UpstreamOptions upstream,
        FeedPage page,
        IReadOnlyCollection<ProvenUpload> contents,
        CancellationToken cancellationToken
    )
    {
        store.RequireRoomFor(contents.Sum(content => (long)content.Metadata.Size));
        return PublishAsync(
            contents,
            isPinned: false,
            async files =>
                (
                    await commands.ApplyUpstreamAsync(upstream, page, [.. files.Select(file => file.Key)], cancellationToken)
                )?.Stored
                ?? throw new OutOfOrderException(),
            cancellationToken
        );
    }

    /// <summary>A file that its bucket has no room for spoils no other.</summary>
    private async Task<IReadOnlyDictionary<FileKey, UploadCommit>> CommitWithinQuotasAsync(
        UploadedFile[] files,
        Dictionary<FileKey, BucketQuota> tooMuch,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            try
            {
                UploadedFile[] within = [.. files.ExceptBy(tooMuch.Keys, file => file.Key)];
                var commits = await commands.CommitUploadsAsync(within, registers: true, cancellationToken);
                return files.ToDictionary(
                    file => file.Key,
                    file => tooMuch.ContainsKey(file.Key) ? UploadCommit.TooMuch : commits[file.Key]
                );
            }
            catch (QuotaExceededException e)
            {
                foreach (var (key, quota) in e.TooMuch)
                {
                    tooMuch[key] = quota;
                }
            }
        }
    }

    private async Task<IReadOnlyDictionary<FileKey, UploadCommit>> PublishAsync(
        IReadOnlyCollection<ProvenUpload> uploads,
        bool isPinned,
        Func<UploadedFile[], Task<IReadOnlyDictionary<FileKey, UploadCommit>>> commit,
        CancellationToken cancellationToken
    )
    {
        using var trace = UploadTraces.Publish(uploads.Count);
        var contents = uploads.Select(upload => upload.Metadata.Fingerprint);
        using var contentLocks = await store.LockContentsAsync(contents, cancellationToken);
        var generations = await catalog.GenerationsAsync([.. uploads.Select(upload => upload.Key)], cancellationToken);
        UploadedFile[] files =
        [
            .. uploads.Select(upload => new UploadedFile(upload.Key, upload.Metadata, generations[upload.Key])),
        ];
        var inMemory = uploads
            .Select(upload => upload.Bytes)
            .OfType<ProvenBytes>()
            .ToLookup(content => ChunkStore.IsSmall(content.Bytes.Length));
        var recorded = RecordAsync(files, [.. inMemory[true]], isPinned);
        store.MakeDurable([.. inMemory[false]]);
        foreach (var upload in uploads)
        {
            upload.MakeDurable?.Invoke();
        }

        await recorded;
        return await CommitAsync(files, () => commit(files), cancellationToken);
    }

    /// <summary>Whether the content of a file that is stored here is right: its upload would bring nothing.</summary>
    public Task<bool> IsIntactAsync(FileRecord file, CancellationToken cancellationToken) =>
        damaged.IsIntactAsync(file.Fingerprint, file.Size, cancellationToken);

    private static UploadedFile UploadOf(FileRecord file) => new(file.Key, file.Metadata, file.Generation);

    /// <summary>The folder remembers the files before the catalog calls them stored; small contents come with it, larger ones at the same time.</summary>
    private Task RecordAsync(IEnumerable<UploadedFile> files, ProvenBytes[] small, bool isPinned = true)
    {
        var now = time.GetUtcNow();
        return folder.RecordAsync(
            [.. files.Select(file => new LedgerFile(file.Key, file.Metadata, file.Generation, isPinned, Added: null, now))],
            small
        );
    }

    private async Task<IReadOnlyDictionary<FileKey, UploadCommit>> CommitAsync(
        IReadOnlyCollection<UploadedFile> files,
        Func<Task<IReadOnlyDictionary<FileKey, UploadCommit>>> commit,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyDictionary<FileKey, UploadCommit> commits;
        try
        {
            commits = await commit();
        }
        catch (CommitUnconfirmedException)
        {
            // Whoever reads the catalog sees them, so what belongs to stored files follows, and the uploader is told to ask again.
            var keys = files.Select(file => file.Key).ToList();
            var others = await replicas.NotInStateAsync(node, keys, [ReplicaState.Stored], CancellationToken.None);
            foreach (var file in files.ExceptBy(others, file => file.Key))
            {
                ShowStored(file);
            }

            throw;
        }

        foreach (var file in files)
        {
            if (commits[file.Key] is UploadCommit.Stored or UploadCommit.AlreadyStored)
            {
                ShowStored(file);
                continue;
            }

            Log.NotStored(logger, file.Key, node);
            await unused.ForgetAsync(file.Key, file.Metadata.Fingerprint, (long)file.Metadata.Size, cancellationToken);
        }

        return commits;
    }

    /// <summary>Committed: what goes wrong from here on takes nothing of that back.</summary>
    private void ShowStored(UploadedFile file)
    {
        var size = (long)file.Metadata.Size;
        store.MakeVisible(file.Key);
        DiscardPartials(file.Key);
        changes.PublishUploaded(new ReplicaChange(file.Key, size));
        Log.Stored(logger, file.Key, node, size);
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

        [LoggerMessage(1501, LogLevel.Information, "Stored {FileKey} at {Node} as it was sent here: {Size} bytes")]
        public static partial void Stored(ILogger logger, FileKey fileKey, NodeId node, long size);

        [LoggerMessage(
            1502,
            LogLevel.Information,
            "Did not store {FileKey} at {Node}: it was removed while it was sent here, is not wanted here, or is more than its bucket may have"
        )]
        public static partial void NotStored(ILogger logger, FileKey fileKey, NodeId node);
    }
}
