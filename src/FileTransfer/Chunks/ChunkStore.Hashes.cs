using FileTransfer.Chunks.Durability;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

/// <content>The chunk hashes of stored contents: known, kept beside the content, or computed from it.</content>
public sealed partial class ChunkStore
{
    private ChunkHashes SmallHashes(OpenContent content)
    {
        if (_proofs.HashesOf(content.Fingerprint) is { } known)
        {
            return known;
        }

        var hashes = ChunkHashes.Create(content.Size);
        try
        {
            Compute(content, hashes);
        }
        catch
        {
            hashes.Dispose();
            throw;
        }

        _proofs.Keep(content.Fingerprint, hashes);
        return hashes;
    }

    /// <summary>Those on disk, in so far as they are right; else computed, which proves the content, and kept.</summary>
    private ChunkHashes LargeHashes(OpenContent content)
    {
        if (TryOpenHashes(content) is { } kept)
        {
            return kept;
        }

        KeepHashes(content);
        return TryOpenHashes(content)
            ?? throw new IOException($"The chunk hashes in {_paths.Hashes(content.Fingerprint)} change while they are read.");
    }

    /// <summary>The hashes on disk, when their root is the fingerprint. That is looked into once, as long as their file does not change.</summary>
    private ChunkHashes? TryOpenHashes(OpenContent content)
    {
        var path = _paths.Hashes(content.Fingerprint);
        if (FileIdentity.TryOf(path) is not { } file)
        {
            return null;
        }

        ChunkHashes hashes;
        try
        {
            hashes = ChunkHashes.OpenInFile(content.Size, path);
        }
        catch (Exception fault)
            when (fault is FileNotFoundException or DirectoryNotFoundException or InvalidDataException
                || ContentDamagedException.IsDamage(fault)
            )
        {
            return null;
        }

        try
        {
            if (_proofs.IsChecked(content.Fingerprint, file) || IsRoot(content.Fingerprint, hashes))
            {
                _proofs.Checked(content.Fingerprint, file);
                return hashes;
            }
        }
        catch
        {
            hashes.Dispose();
            throw;
        }

        hashes.Dispose();
        Log.HashesWrong(_logger, content.Fingerprint);
        return null;
    }

    private static bool IsRoot(Fingerprint fingerprint, ChunkHashes hashes)
    {
        try
        {
            return hashes.ComputeFingerprint() == fingerprint;
        }
        catch (IOException fault) when (fault is EndOfStreamException || ContentDamagedException.IsDamage(fault))
        {
            return false;
        }
    }

    private static void Compute(OpenContent content, ChunkHashes hashes)
    {
        content.ReadThrough(hashes.Set);
        if (hashes.ComputeFingerprint() is var computed && computed != content.Fingerprint)
        {
            throw new ContentDamagedException(content.Fingerprint, $"what is on disk has the fingerprint {computed}");
        }
    }

    /// <summary>Computes the hashes beside and gives them their name once they are whole.</summary>
    private void KeepHashes(OpenContent content)
    {
        var folder = _paths.Incoming(Guid.NewGuid());
        Directory.CreateDirectory(folder);
        try
        {
            using (var hashes = ChunkHashes.Create(content.Size, StorePaths.HashesOf(folder)))
            {
                Compute(content, hashes);
                FlushHashes(hashes, StorePaths.HashesOf(folder));
            }

            DurableFile.Rename(StorePaths.HashesOf(folder), _paths.Hashes(content.Fingerprint));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
