using FileTransfer.Chunks.Durability;

namespace FileTransfer.Chunks;

public sealed partial class ChunkStore
{
    /// <summary>Opens the content of a visible file; null when the file is not visible here. Nothing is proven: see <see cref="Prove"/>.</summary>
    /// <exception cref="ContentDamagedException">It is here and cannot be opened.</exception>
    public OpenContent? TryOpen(FileKey key) => VisibleContentOf(key) is { } fingerprint ? TryOpen(fingerprint) : null;

    /// <summary>Opens a content; null when it is not here. Nothing is proven: see <see cref="Prove"/>.</summary>
    /// <exception cref="ContentDamagedException">It is here and cannot be opened.</exception>
    public OpenContent? TryOpen(Fingerprint fingerprint)
    {
        // The file first: where a small content moves, it is deleted once the row is there.
        try
        {
            var path = _paths.Content(fingerprint);
            return Path.Exists(path) && TryOpenRead(path) is { } handle
                ? new OpenContent(handle, fingerprint)
                : TryOpenSmall(fingerprint);
        }
        catch (Exception fault) when (ContentDamagedException.IsDamage(fault))
        {
            throw ContentDamagedException.Unreadable(fingerprint, fault);
        }
    }

    /// <summary>Bytes of a content on disk; null when it is not here.</summary>
    public long? SizeOf(Fingerprint fingerprint) =>
        new FileInfo(_paths.Content(fingerprint)) is { Exists: true } file ? file.Length : SizeOfSmall(fingerprint);

    /// <summary>Whether something is here under the content's name, right or not.</summary>
    public bool Holds(Fingerprint fingerprint) =>
        Path.Exists(_paths.Content(fingerprint)) || SizeOfSmall(fingerprint) is not null;

    /// <summary>Whether something of this size is here under the content's name. It may be damaged: <see cref="ConfirmDurable"/> proves it.</summary>
    public bool Contains(Fingerprint fingerprint, long size) => SizeOf(fingerprint) == size;

    /// <summary>Removes a content and its hashes, durably. Nothing happens when it is not here. Call under <see cref="LockContentAsync"/>.</summary>
    public void DeleteContent(Fingerprint fingerprint)
    {
        var path = _paths.Content(fingerprint);
        if (TryDelete(_paths.Hashes(fingerprint)) | TryDelete(path) | TryDelete(_paths.FilesOf(fingerprint)))
        {
            DurableFile.FsyncFolder(Path.GetDirectoryName(path)!);
        }

        DeleteSmall(fingerprint);
    }

    public IEnumerable<ContentInfo> Contents() => SmallAfter(null).Concat(ContentFiles());

    /// <summary>The contents behind this one, in the order of their fingerprints. A page of rows and one folder at a time are in memory.</summary>
    public IEnumerable<ContentInfo> ContentsAfter(Fingerprint? after)
    {
        using var small = SmallAfter(after).GetEnumerator();
        var hasSmall = small.MoveNext();
        foreach (var file in ContentFilesAfter(after))
        {
            for (; hasSmall && small.Current.Fingerprint.CompareTo(file.Fingerprint) < 0; hasSmall = small.MoveNext())
            {
                yield return small.Current;
            }

            yield return file;
        }

        for (; hasSmall; hasSmall = small.MoveNext())
        {
            yield return small.Current;
        }
    }

    private IEnumerable<ContentInfo> ContentFiles()
    {
        var files =
            from outer in new DirectoryInfo(_paths.Contents).EnumerateDirectories()
            from inner in outer.EnumerateDirectories()
            from file in inner.EnumerateFiles()
            select file;
        foreach (var file in files)
        {
            if (Fingerprint.TryParse(file.Name, out var fingerprint) && file.Exists)
            {
                yield return new ContentInfo(fingerprint, file.Length);
            }
        }
    }

    private IEnumerable<ContentInfo> ContentFilesAfter(Fingerprint? after)
    {
        var behind = after?.ToHex() ?? "";
        var (outerFrom, innerFrom) = behind.Length == 0 ? ("", "") : (behind[..2], behind[2..4]);
        foreach (var outer in SortedNames(_paths.Contents, outerFrom))
        {
            foreach (var inner in SortedNames(Path.Combine(_paths.Contents, outer), outer == outerFrom ? innerFrom : ""))
            {
                var folder = new DirectoryInfo(Path.Combine(_paths.Contents, outer, inner));
                foreach (var entry in folder.EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
                {
                    if (string.CompareOrdinal(entry.Name, behind) > 0 && Fingerprint.TryParse(entry.Name, out var fingerprint))
                    {
                        var size = entry is FileInfo { Exists: true } file ? file.Length : 0;
                        yield return new ContentInfo(fingerprint, size);
                    }
                }
            }
        }
    }

    private static IEnumerable<string> SortedNames(string folder, string from) =>
        new DirectoryInfo(folder)
            .EnumerateDirectories()
            .Select(entry => entry.Name)
            .Where(name => string.CompareOrdinal(name, from) >= 0)
            .Order(StringComparer.Ordinal);

    private static SafeFileHandle? TryOpenRead(string path)
    {
        try
        {
            // The system reads further ahead in what is told to be read in order.
            return File.OpenHandle(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                FileOptions.SequentialScan
            );
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static bool TryDelete(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        File.Delete(path);
        return true;
    }
}

public readonly record struct ContentInfo(Fingerprint Fingerprint, long Size);
