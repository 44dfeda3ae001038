using FileTransfer.Chunks.Small;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Ledger;

/// <summary>The ledger of a folder that no process uses, read only: <c>small.db</c> where it can be read, and what lies beside the contents.</summary>
public sealed class StoppedLedger : IDisposable
{
    private readonly SmallConnection? _engine;
    private readonly ContentFiles _contentFiles;

    private StoppedLedger(SmallConnection? engine, ContentFiles contentFiles, string? damage)
    {
        _engine = engine;
        _contentFiles = contentFiles;
        Damage = damage;
    }

    /// <summary>Why <c>small.db</c> cannot be read; null where it can. The files of contents of up to 64 KiB are not known then.</summary>
    public string? Damage { get; }

    public static StoppedLedger Open(string dataDirectory)
    {
        var paths = new StorePaths(dataDirectory);
        if (!Directory.Exists(paths.Root))
        {
            throw new DirectoryNotFoundException($"There is no folder {paths.Root}.");
        }

        var beside = new ContentFiles(paths);
        if (!File.Exists(paths.Small))
        {
            return new StoppedLedger(null, beside, $"{paths.Small} is not there");
        }

        try
        {
            return new StoppedLedger(SmallConnection.OpenReadOnly(paths.Small), beside, null);
        }
        catch (SqliteException e)
        {
            return new StoppedLedger(null, beside, $"{paths.Small} cannot be read: {e.Message}");
        }
    }

    /// <summary>A small content, not proven; null where it is no row, empty where it cannot be read.</summary>
    public byte[]? ReadSmall(Fingerprint fingerprint)
    {
        try
        {
            return _engine is { Version: SmallSchema.Version } ? SmallContents.Read(_engine, fingerprint) : null;
        }
        catch (Exception damage) when (damage is SqliteException or ContentDamagedException)
        {
            return [];
        }
    }

    /// <summary>All files, each once, in the order of their keys: the engine's entry wins over the one beside the content.</summary>
    public IEnumerable<LedgerFile> Files()
    {
        var beside = new SortedDictionary<FileKey, LedgerFile>();
        foreach (var file in _contentFiles.Contents().SelectMany(_contentFiles.Read))
        {
            if (_engine is null || LedgerReading.Find(_engine, file.Key) is null)
            {
                beside[file.Key] = file;
            }
        }

        using var others = beside.Values.GetEnumerator();
        var hasOther = others.MoveNext();
        foreach (var file in Pages(LedgerReading.Files, file => file.Key))
        {
            for (; hasOther && others.Current.Key.CompareTo(file.Key) < 0; hasOther = others.MoveNext())
            {
                yield return others.Current;
            }

            yield return file;
        }

        for (; hasOther; hasOther = others.MoveNext())
        {
            yield return others.Current;
        }
    }

    public IEnumerable<LedgerRemoval> Removals() => Pages(LedgerReading.Removals, removal => removal.Key);

    public IReadOnlyList<LedgerPolicy> Policies() => _engine is null ? [] : LedgerReading.Policies(_engine);

    /// <summary>The histories of the feed that the folder has lived through, the oldest first.</summary>
    public IReadOnlyList<LedgerEpoch> Epochs() => _engine is null ? [] : LedgerReading.Epochs(_engine);

    public void Dispose() => _engine?.Dispose();

    /// <summary>All rows of a table, page by page; none where the engine cannot be read.</summary>
    private IEnumerable<T> Pages<T>(Func<SmallConnection, FileKey?, int, IReadOnlyList<T>> read, Func<T, FileKey> keyOf)
    {
        const int PageSize = 1000;
        FileKey? after = null;
        while (_engine is not null && read(_engine, after, PageSize) is { Count: > 0 } page)
        {
            foreach (var row in page)
            {
                yield return row;
            }

            after = keyOf(page[^1]);
        }
    }
}
