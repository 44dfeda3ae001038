namespace FileTransfer.Chunks;

/// <summary>The links <c>files/ab/&lt;file key&gt;</c> by which earlier versions named the content of a visible file. They are read, and go.</summary>
internal sealed class VisibleLinks(string folder)
{
    private volatile bool _isGone = !Directory.Exists(folder);

    public Fingerprint? Find(FileKey key) =>
        !_isGone
        && new FileInfo(PathOf(key)).LinkTarget is { } target
        && Fingerprint.TryParse(Path.GetFileName(target), out var found)
            ? found
            : null;

    public void Remove(FileKey key)
    {
        if (!_isGone && new FileInfo(PathOf(key)).LinkTarget is not null)
        {
            File.Delete(PathOf(key));
        }
    }

    public IEnumerable<FileKey> All()
    {
        if (_isGone)
        {
            yield break;
        }

        foreach (var link in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            if (FileKey.TryParse(Path.GetFileName(link), out var key))
            {
                yield return key;
            }
        }
    }

    /// <summary>Once none is left.</summary>
    public void RemoveFolder()
    {
        _isGone = true;
        ChunkStore.RemoveFolder(folder);
    }

    private string PathOf(FileKey key)
    {
        var hex = key.ToHex();
        return $"{folder}/{hex[..2]}/{hex}";
    }
}
