using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Chunks;

/// <content>Which content readers get for a file's key. The folder knows it without the catalog, which decides what is visible.</content>
public sealed partial class ChunkStore
{
    private static readonly object _uncommitted = new();

    /// <summary>Files that readers do not get whatever is written of them: until the catalog calls them stored, or until their hiding is written.</summary>
    private readonly ConcurrentDictionary<FileKey, object> _hidden = new();

    /// <summary>The file is stored, by the catalog: readers get it by its key.</summary>
    public void MakeVisible(FileKey key)
    {
        if (
            (!_hidden.TryRemove(key, out var why) || why != _uncommitted)
            && _small.Read(engine => LedgerReading.IsHidden(engine, key))
        )
        {
            _ = _small.WriteSoon(engine => engine.Execute("UPDATE files SET hidden = 0 WHERE file_key = $1", key));
        }

        Readable.Set(key);
    }

    /// <summary>Readers do not get the file any more. What is being read of it can be read to its end.</summary>
    public void Hide(FileKey key)
    {
        var hiding = new object();
        _hidden[key] = hiding;
        _links.Remove(key);
        _ = HideAsync(key, hiding);
    }

    /// <summary>Pages of keys, in no order that says anything.</summary>
    public IEnumerable<FileKey> VisibleFiles()
    {
        const int PageSize = 1000;
        FileKey? after = null;
        while (_small.Read(engine => LedgerReading.Visible(engine, after, PageSize)) is { Count: > 0 } page)
        {
            foreach (var key in page.Where(key => !_hidden.ContainsKey(key)))
            {
                yield return key;
            }

            after = page[^1];
        }

        foreach (var key in _links.All().Where(key => !_hidden.ContainsKey(key)))
        {
            yield return key;
        }
    }

    /// <summary>A file that is about to be written down: as long as the catalog does not call it stored, readers do not get it.</summary>
    internal void AwaitCommit(FileKey key)
    {
        if (VisibleContentOf(key) is null)
        {
            _hidden[key] = _uncommitted;
        }
    }

    /// <summary>Nothing is written down of the file any more.</summary>
    internal void Forgotten(FileKey key) => _hidden.TryRemove(new KeyValuePair<FileKey, object>(key, _uncommitted));

    /// <summary>The content that readers get for a file; null where it is not visible.</summary>
    public Fingerprint? VisibleContentOf(FileKey key) =>
        _hidden.ContainsKey(key) ? null : _small.Read(engine => LedgerReading.FindVisible(engine, key)) ?? _links.Find(key);

    /// <summary>Whether readers get the file, and something is here under the name of its content.</summary>
    public bool Shows(FileKey key) => VisibleContentOf(key) is { } fingerprint && Holds(fingerprint);

    private async Task HideAsync(FileKey key, object hiding)
    {
        try
        {
            await _small.WriteSoon(engine => engine.Execute("UPDATE files SET hidden = 1 WHERE file_key = $1", key));
            _hidden.TryRemove(new KeyValuePair<FileKey, object>(key, hiding));
        }
        catch (IOException)
        {
            // It was logged. It stays hidden as long as this process runs, and the next one compares.
        }
    }
}
