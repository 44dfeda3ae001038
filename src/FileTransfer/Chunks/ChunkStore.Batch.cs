using FileTransfer.Chunks.Durability;

namespace FileTransfer.Chunks;

public sealed partial class ChunkStore
{
    /// <summary>From so many contents on, one flush of the file system is cheaper than one of every file and folder.</summary>
    private const int BatchFlushFrom = 4;

    /// <summary>Makes several small contents durable for about the price of one. Call under <see cref="LockContentAsync"/> of each.</summary>
    /// <remarks>
    /// The same steps as for one content, each done for all before the next begins: written beside, flushed, renamed, names flushed.
    /// Above <see cref="HashesKeptAbove"/> use a partial, which keeps the chunk hashes.
    /// </remarks>
    public void MakeDurable(IReadOnlyCollection<ProvenBytes> contents)
    {
        var missing = new List<ProvenBytes>(contents.Count);
        foreach (var content in contents.DistinctBy(content => content.Fingerprint))
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Bytes.Length, HashesKeptAbove, nameof(contents));
            if (!ConfirmDurable(content.Fingerprint, content.Bytes.Length))
            {
                missing.Add(content);
            }
        }

        if (missing.Count == 0)
        {
            return;
        }

        var folder = _paths.Incoming(Guid.NewGuid());
        Directory.CreateDirectory(folder);
        try
        {
            PublishBatch(missing, folder);
        }
        finally
        {
            RemoveFolder(folder);
        }
    }

    private void PublishBatch(List<ProvenBytes> contents, string folder)
    {
        using var together =
            contents.Count >= BatchFlushFrom && DurableFile.ToldOfFailedFlushes ? DurableFile.OpenFolder(_paths.Root) : null;
        BeforeStep?.Invoke(PublishStep.FsyncData);
        foreach (var content in contents)
        {
            WriteBeside(content, BesidePath(folder, content), fsync: together is null);
        }

        if (together is not null)
        {
            DurableFile.FlushFileSystem(together, _paths.Root);
        }

        BeforeStep?.Invoke(PublishStep.RenameData);
        try
        {
            foreach (var content in contents)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(_paths.Content(content.Fingerprint))!);
                DurableFile.Rename(BesidePath(folder, content), _paths.Content(content.Fingerprint));
            }

            BeforeStep?.Invoke(PublishStep.FsyncFolder);
            FlushNames(contents, together);
            BeforeStep?.Invoke(PublishStep.Done);
        }
        catch (IOException exception)
        {
            foreach (var content in contents)
            {
                Log.NotDurable(_logger, exception, content.Fingerprint);
                TryDelete(_paths.Content(content.Fingerprint));
            }

            throw;
        }
    }

    private void FlushNames(List<ProvenBytes> contents, SafeFileHandle? together)
    {
        if (together is not null)
        {
            DurableFile.FlushFileSystem(together, _paths.Root);
        }

        foreach (var content in contents)
        {
            if (together is not null)
            {
                Volatile.Write(ref _durableFolders[FolderNumberOf(content.Fingerprint)], true);
            }
            else
            {
                FsyncFolders(content.Fingerprint);
            }
        }
    }

    private static void WriteBeside(ProvenBytes content, string path, bool fsync)
    {
        // Nobody else knows the name: a lock on the file would be two system calls for nothing.
        using var file = DiskFullException.Guard(
            path,
            () => File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite)
        );
        DurableFile.Write(file, content.Bytes.Span, 0, path);
        DurableFile.MakeReadOnly(path);
        if (fsync)
        {
            DurableFile.Fsync(file, path);
        }
    }

    private static string BesidePath(string folder, ProvenBytes content) => Path.Combine(folder, content.Fingerprint.ToHex());
}
