using FileTransfer.Chunks.Durability;

namespace FileTransfer.Chunks;

public sealed partial class ChunkStore
{
    private readonly HashSet<string> _openPartials = [];

    /// <summary>Opens a partial, adopting the newest of the same file that nobody has open; older ones are removed.</summary>
    /// <param name="keepsHashes">
    /// Keeps the chunk hashes also of a small content: an upload has no other proof of what it left behind.
    /// </param>
    /// <exception cref="DiskFullException">There is no room for it.</exception>
    public PartialFile OpenPartial(FileKey key, long epoch, Fingerprint fingerprint, long size, bool keepsHashes = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        var folder = _paths.Partial(key, epoch);
        lock (_openPartials)
        {
            if (_openPartials.Contains(folder))
            {
                throw new PartialInUseException(key, epoch);
            }

            Adopt(key, folder);
            _openPartials.Add(folder);
        }

        try
        {
            return new PartialFile(this, folder, key, epoch, fingerprint, size, keepsHashes);
        }
        catch (Exception fault)
        {
            ClosePartial(folder, keep: !ContentDamagedException.IsDamage(fault));
            throw;
        }
    }

    /// <summary>Takes a content whose size and fingerprint are known at its end.</summary>
    public IncomingFile CreateIncoming() => new IncomingFile(_paths.Incoming(Guid.NewGuid()), RequireFloor);

    /// <summary>Removes the partials of a file; those that are open are their holder's to discard.</summary>
    public void DiscardPartials(FileKey key)
    {
        lock (_openPartials)
        {
            foreach (var (folder, _) in ClosedPartialsOf(key))
            {
                RemoveIfPossible(folder);
            }
        }
    }

    public IEnumerable<PartialInfo> Partials()
    {
        foreach (var folder in new DirectoryInfo(_paths.Partials).EnumerateDirectories())
        {
            if (StorePaths.TryReadPartial(folder.Name, out var key, out var epoch))
            {
                yield return new PartialInfo(key, epoch, IsOpen(folder.FullName), WrittenAt(folder));
            }
        }
    }

    internal void ClosePartial(string folder, bool keep)
    {
        lock (_openPartials)
        {
            if (!keep)
            {
                RemoveIfPossible(folder);
            }

            _openPartials.Remove(folder);
        }
    }

    /// <summary>What cannot be removed is left to the next attempt of its file, or to the next start: nothing depends on it.</summary>
    private void RemoveIfPossible(string folder)
    {
        try
        {
            RemoveFolder(folder);
        }
        catch (Exception fault) when (DiskFault.IsOfDisk(fault))
        {
            Log.PartialNotRemoved(_logger, fault, folder);
        }
    }

    internal void ReportHashesNotKept(string folder, IOException exception) => Log.HashesNotKept(_logger, exception, folder);

    private void Adopt(FileKey key, string folder)
    {
        // The highest epoch first: it is the one that was last at work.
        var found = ClosedPartialsOf(key).OrderByDescending(partial => partial.Epoch).Select(partial => partial.Folder).ToList();
        if (found is [var newest, ..] && newest != folder)
        {
            RemoveFolder(folder);
            Directory.Move(newest, folder);
        }

        foreach (var older in found.Skip(1).Where(older => older != folder))
        {
            Directory.Delete(older, recursive: true);
        }

        Directory.CreateDirectory(folder);
    }

    private List<(string Folder, long Epoch)> ClosedPartialsOf(FileKey key)
    {
        var found = new List<(string, long)>();
        foreach (var folder in Directory.EnumerateDirectories(_paths.Partials, StorePaths.PartialPattern(key)))
        {
            if (StorePaths.TryReadPartial(folder, out _, out var epoch) && !_openPartials.Contains(folder))
            {
                found.Add((folder, epoch));
            }
        }

        return found;
    }

    private bool IsOpen(string folder)
    {
        lock (_openPartials)
        {
            return _openPartials.Contains(folder);
        }
    }

    private static DateTimeOffset WrittenAt(DirectoryInfo folder)
    {
        var data = new FileInfo(StorePaths.DataOf(folder.FullName));
        return new DateTimeOffset(data.Exists ? data.LastWriteTimeUtc : folder.LastWriteTimeUtc);
    }

    /// <summary>At start, when nobody has one open: incoming ones, names that are none, and those without data.</summary>
    private void RemoveLeftoverPartials()
    {
        var leftovers = new DirectoryInfo(_paths.Partials)
            .EnumerateFileSystemInfos()
            .Where(entry =>
                !StorePaths.TryReadPartial(entry.Name, out _, out _) || !File.Exists(StorePaths.DataOf(entry.FullName))
            )
            .ToList();
        foreach (var entry in leftovers)
        {
            if (entry is DirectoryInfo folder)
            {
                folder.Delete(recursive: true);
            }
            else
            {
                entry.Delete();
            }
        }

        if (leftovers.Count > 0)
        {
            Log.LeftoversRemoved(_logger, leftovers.Count);
        }
    }

    internal static void RemoveFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

/// <param name="Epoch">The replica's epoch it was last opened under.</param>
public readonly record struct PartialInfo(FileKey Key, long Epoch, bool IsOpen, DateTimeOffset Written);

public sealed class PartialInUseException(FileKey key, long epoch)
    : InvalidOperationException(
        $"The partial of {key} with epoch {epoch} is open already; dispose of it first, or claim the file again for a new epoch."
    )
{
    public FileKey Key { get; } = key;

    public long Epoch { get; } = epoch;
}
