using FileTransfer.Chunks.Durability;

namespace FileTransfer.Chunks;

public sealed partial class ChunkStore
{
    /// <summary>Makes a file visible here. The link is not made durable: the catalog knows what is stored and rebuilds it at start.</summary>
    public void LinkVisible(FileKey key, Fingerprint fingerprint)
    {
        var path = _paths.File(key);
        var target = StorePaths.LinkTarget(fingerprint);
        while (!SymbolicLink.TryCreate(path, target))
        {
            switch (TryReadLink(path))
            {
                case var found when found == target:
                    return;
                case not null:
                    // A key names one content for ever, so this link is not ours.
                    File.Delete(path);
                    break;
                case null when Path.Exists(path):
                    throw new IOException($"{path} is no link, so the file cannot be shown there; move it away.");
            }
        }
    }

    /// <summary>The same for a committed file: where no link can be made it is logged, and the file is read through the catalog.</summary>
    public void TryLinkVisible(FileKey key, Fingerprint fingerprint)
    {
        try
        {
            LinkVisible(key, fingerprint);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Log.NotShown(_logger, fault, key);
        }
    }

    /// <summary>Makes a file invisible here. What is being read of it can be read to its end.</summary>
    public void Unlink(FileKey key)
    {
        try
        {
            File.Delete(_paths.File(key));
        }
        catch (DirectoryNotFoundException)
        {
            // No file of this folder was ever visible.
        }
    }

    public IEnumerable<FileKey> VisibleFiles()
    {
        var links = new DirectoryInfo(_paths.Files).EnumerateDirectories().SelectMany(folder => folder.EnumerateFiles());
        foreach (var link in links)
        {
            if (FileKey.TryParse(link.Name, out var key))
            {
                yield return key;
            }
        }
    }

    /// <summary>Whether the file is visible here as this content.</summary>
    public bool IsVisible(FileKey key, Fingerprint fingerprint) =>
        TryReadLink(_paths.File(key)) == StorePaths.LinkTarget(fingerprint);

    /// <summary>The content that the file is visible as; null where it is not visible, or nobody can tell.</summary>
    public Fingerprint? VisibleContentOf(FileKey key) =>
        StorePaths.TryReadLinkTarget(TryReadLink(_paths.File(key)), out var fingerprint) ? fingerprint : null;

    private static string? TryReadLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
