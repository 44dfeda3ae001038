using FileTransfer.Chunks.Durability;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

public sealed partial class ChunkStore
{
    // Whether the folders above a content are durable; the first 16 bits of its fingerprint name them.
    private readonly bool[] _durableFolders = new bool[64 * 1024];

    /// <summary>Told before each step of a publish. Tests look at the disk, or fail, there.</summary>
    internal Action<PublishStep>? BeforeStep { get; set; }

    /// <summary>
    /// Makes a proven partial a content and removes the partial; where the content is here already, that one is made sure of. On
    /// return the content outlives a power failure. Call under <see cref="LockContentAsync"/>, then store the row, then <see cref="MakeVisible"/>.
    /// </summary>
    /// <exception cref="FsyncFailedException">Nothing was published; the partial is gone, because what is on disk is unknown.</exception>
    /// <exception cref="DiskFullException">Nothing was published; the partial is as it was.</exception>
    public PublishOutcome MakeDurable(PartialFile partial)
    {
        if (!partial.IsProven)
        {
            throw new InvalidOperationException($"The partial of {partial.Key} has not been proven; call ProveWhole first.");
        }

        var outcome = Publish(
            new ProvenContent(partial.Fingerprint, partial.Size, partial.Folder, partial.Data, partial.Hashes),
            distrust: partial.Discard
        );
        partial.Discard();
        return outcome;
    }

    /// <inheritdoc cref="MakeDurable(PartialFile)"/>
    public PublishOutcome MakeDurable(IncomingFile incoming)
    {
        if (!incoming.IsComplete || incoming.Size == 0 || incoming.Small is not null)
        {
            throw new InvalidOperationException(
                "An incoming content is made durable once it is complete and not empty; a small one is recorded."
            );
        }

        var outcome = Publish(
            new ProvenContent(incoming.Fingerprint, incoming.Size, incoming.Folder, incoming.Data, incoming.Hashes),
            distrust: incoming.Dispose
        );
        incoming.Dispose();
        return outcome;
    }

    /// <summary>True when the content is here, right, and durable; a wrong one is set aside. Call under <see cref="LockContentAsync"/>.</summary>
    public bool ConfirmDurable(Fingerprint fingerprint, long size)
    {
        if (!ConfirmRight(fingerprint, size))
        {
            return false;
        }

        // Its publisher may have been killed between naming it and making the name durable. The data was durable before it had a name.
        // A row is made sure of by the next commit of the database, without which nobody relies on it.
        if (Path.Exists(_paths.Content(fingerprint)))
        {
            FsyncFolders(fingerprint);
        }

        return true;
    }

    private PublishOutcome Publish(ProvenContent content, Action distrust)
    {
        if (ConfirmDurable(content.Fingerprint, content.Size))
        {
            return PublishOutcome.AlreadyHere;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(_paths.Content(content.Fingerprint))!);
        try
        {
            BeforeStep?.Invoke(PublishStep.MakeReadOnly);
            DurableFile.MakeReadOnly(StorePaths.DataOf(content.Folder));
            BeforeStep?.Invoke(PublishStep.FsyncData);
            DurableFile.Fsync(content.Data, StorePaths.DataOf(content.Folder));
        }
        catch (Exception exception) when (DiskFault.IsOfDisk(exception))
        {
            Log.NotDurable(_logger, exception, content.Fingerprint);
            distrust();
            throw;
        }

        if (content.KeepsHashes)
        {
            BeforeStep?.Invoke(PublishStep.FsyncHashes);
            FlushHashes(content.Hashes, StorePaths.HashesOf(content.Folder));
            DurableFile.MakeReadOnly(StorePaths.HashesOf(content.Folder));
        }

        BeforeStep?.Invoke(PublishStep.RenameData);
        DurableFile.Rename(StorePaths.DataOf(content.Folder), _paths.Content(content.Fingerprint));
        try
        {
            if (content.KeepsHashes)
            {
                BeforeStep?.Invoke(PublishStep.RenameHashes);
                DurableFile.Rename(StorePaths.HashesOf(content.Folder), _paths.Hashes(content.Fingerprint));
            }

            BeforeStep?.Invoke(PublishStep.FsyncFolder);
            FsyncFolders(content.Fingerprint);
            if (content.KeepsHashes)
            {
                RememberProof(content.Fingerprint);
            }

            BeforeStep?.Invoke(PublishStep.Done);
            return PublishOutcome.Published;
        }
        catch (IOException exception)
        {
            Log.NotDurable(_logger, exception, content.Fingerprint);
            TryDelete(_paths.Hashes(content.Fingerprint));
            TryDelete(_paths.Content(content.Fingerprint));
            distrust();
            throw;
        }
    }

    /// <summary>What was proven before it got its name need not be proven again for its first reader, as long as nobody writes to it.</summary>
    private void RememberProof(Fingerprint fingerprint)
    {
        if (
            FileIdentity.TryOf(_paths.Hashes(fingerprint)) is { } hashes
            && FileIdentity.TryOf(_paths.Content(fingerprint)) is { } content
        )
        {
            _proofs.Checked(fingerprint, hashes);
            _proofs.Proven(fingerprint, content);
        }
    }

    /// <summary>Fsyncs a content's folder, then once per process those above: its commit has usually included theirs, so they cost little.</summary>
    private void FsyncFolders(Fingerprint fingerprint)
    {
        var inner = Path.GetDirectoryName(_paths.Content(fingerprint))!;
        DurableFile.FsyncFolder(inner);
        var number = FolderNumberOf(fingerprint);
        if (Volatile.Read(ref _durableFolders[number]))
        {
            return;
        }

        DurableFile.FsyncFolder(Path.GetDirectoryName(inner)!);
        DurableFile.FsyncFolder(_paths.Contents);
        Volatile.Write(ref _durableFolders[number], true);
    }

    private static int FolderNumberOf(Fingerprint fingerprint) => (int)(fingerprint.Value.Prefix64 >> 48);

    private static void FlushHashes(ChunkHashes hashes, string path)
    {
        try
        {
            DiskFullException.Guard(path, hashes.Flush);
        }
        catch (IOException exception) when (exception is not DiskFullException)
        {
            throw new FsyncFailedException(path, exception);
        }
    }

    private readonly record struct ProvenContent(
        Fingerprint Fingerprint,
        long Size,
        string Folder,
        SafeFileHandle Data,
        ChunkHashes Hashes
    )
    {
        public bool KeepsHashes => Size > HashesKeptAbove;
    }
}

public enum PublishOutcome
{
    Published,

    /// <summary>The same content was here already and is shared.</summary>
    AlreadyHere,
}

internal enum PublishStep
{
    MakeReadOnly,
    FsyncData,
    FsyncHashes,
    RenameData,
    RenameHashes,
    FsyncFolder,
    Done,
}
