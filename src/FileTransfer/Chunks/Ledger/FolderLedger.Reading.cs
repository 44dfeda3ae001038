using FileTransfer.Identity;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Ledger;

/// <content>What can be asked, of the ledger of this process or of a folder that no process uses.</content>
public sealed partial class FolderLedger
{
    /// <summary>The file; null where nothing is known of it.</summary>
    public LedgerFile? Find(FileKey key) => _database.Read(engine => LedgerReading.Find(engine, key));

    /// <summary>Whether another file than <paramref name="except"/> is known to have this content.</summary>
    public bool RefersTo(Fingerprint fingerprint, FileKey? except) =>
        _database
            .Read(engine =>
                engine.Query(
                    "SELECT file_key FROM files WHERE fingerprint = $1 AND file_key <> $2",
                    row => new FileKey(row.GetFieldValue<byte[]>(0)),
                    fingerprint.ToArray(),
                    except?.ToArray() ?? []
                )
            )
            .Any(key => !_leaving.ContainsKey(key));

    /// <summary>A page of the files in the order of their keys.</summary>
    public IReadOnlyList<LedgerFile> Files(FileKey? after, int limit) =>
        _database.Read(engine => LedgerReading.Files(engine, after, limit));

    /// <summary>A page of the removals in the order of their keys.</summary>
    public IReadOnlyList<LedgerRemoval> Removals(FileKey? after, int limit) =>
        _database.Read(engine => LedgerReading.Removals(engine, after, limit));

    public IReadOnlyList<LedgerPolicy> Policies() => _database.Read(LedgerReading.Policies);

    /// <summary>The histories of the feed that this folder has lived through, the oldest first.</summary>
    public IReadOnlyList<LedgerEpoch> Epochs() => _database.Read(LedgerReading.Epochs);

    /// <summary>How far the ledger has followed the feed, by bin.</summary>
    public IReadOnlyDictionary<int, FeedPosition> Cursors() =>
        _database
            .Read(engine =>
                engine.Query(
                    "SELECT bin, epoch, sequence FROM cursors",
                    row => (Bin: row.GetInt32(0), At: new FeedPosition(row.GetGuidBytes(1), row.GetInt64(2)))
                )
            )
            .ToDictionary(cursor => cursor.Bin, cursor => cursor.At);

    /// <summary>What the <c>.files</c> beside the larger contents say, for an engine that is new.</summary>
    public IEnumerable<LedgerFile> FilesBesideContents() => _contentFiles.Contents().SelectMany(_contentFiles.Read);
}

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

    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
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

    /// <summary>
    /// All files, each once, in the order of their keys; what the engine knows goes before what lies beside the content. What only lies
    /// there is little, unless the engine is lost.
    /// </summary>
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
        foreach (var file in FilesOfEngine())
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

    private IEnumerable<LedgerFile> FilesOfEngine()
    {
        FileKey? after = null;
        while (_engine is not null && LedgerReading.Files(_engine, after, LedgerReading.PageSize) is { Count: > 0 } page)
        {
            foreach (var file in page)
            {
                yield return file;
            }

            after = page[^1].Key;
        }
    }

    public IEnumerable<LedgerRemoval> Removals()
    {
        if (_engine is null)
        {
            yield break;
        }

        FileKey? after = null;
        while (LedgerReading.Removals(_engine, after, LedgerReading.PageSize) is { Count: > 0 } page)
        {
            foreach (var removal in page)
            {
                yield return removal;
            }

            after = page[^1].Key;
        }
    }

    public IReadOnlyList<LedgerPolicy> Policies() => _engine is null ? [] : LedgerReading.Policies(_engine);

    /// <summary>The histories of the feed that the folder has lived through, the oldest first.</summary>
    public IReadOnlyList<LedgerEpoch> Epochs() => _engine is null ? [] : LedgerReading.Epochs(_engine);

    public void Dispose() => _engine?.Dispose();
}

/// <summary>The queries of the ledger and how its rows are read.</summary>
internal static class LedgerReading
{
    public const int PageSize = 1000;

    private const string Columns =
        "file_key, owner, bucket, location, size, fingerprint, generation, pinned, epoch, sequence, stored_at";

    public static LedgerFile? Find(SmallConnection engine, FileKey key) =>
        engine.Query($"SELECT {Columns} FROM files WHERE file_key = $1", ReadFile, key.ToArray()) is [var file] ? file : null;

    public static IReadOnlyList<LedgerFile> Files(SmallConnection engine, FileKey? after, int limit) =>
        engine.Query(
            $"SELECT {Columns} FROM files WHERE file_key > $1 ORDER BY file_key LIMIT $2",
            ReadFile,
            after?.ToArray() ?? [],
            limit
        );

    public static IReadOnlyList<LedgerFile> FilesOf(SmallConnection engine, Fingerprint fingerprint) =>
        engine.Query($"SELECT {Columns} FROM files WHERE fingerprint = $1", ReadFile, fingerprint.ToArray());

    public static IReadOnlyList<LedgerRemoval> Removals(SmallConnection engine, FileKey? after, int limit) =>
        engine.Query(
            "SELECT file_key, epoch, sequence, applied_at FROM removals WHERE file_key > $1 ORDER BY file_key LIMIT $2",
            row => new LedgerRemoval(
                new FileKey(row.GetFieldValue<byte[]>(0)),
                new FeedPosition(row.GetGuidBytes(1), row.GetInt64(2)),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3))
            ),
            after?.ToArray() ?? [],
            limit
        );

    public static IReadOnlyList<LedgerPolicy> Policies(SmallConnection engine) =>
        engine.Query(
            "SELECT bucket, kind, prefixes, exacts FROM policies ORDER BY bucket",
            row => new LedgerPolicy(
                new ByteString(row.GetFieldValue<byte[]>(0)),
                row.GetString(1),
                Split(row.GetString(2)),
                Split(row.GetString(3))
            )
        );

    public static IReadOnlyList<LedgerEpoch> Epochs(SmallConnection engine) =>
        engine.Query(
            "SELECT epoch, began_at, heads FROM epochs ORDER BY began_at",
            row => new LedgerEpoch(
                row.GetGuidBytes(0),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
                [.. row.GetString(2).Split(',').Select(long.Parse)]
            )
        );

    public static Guid GetGuidBytes(this SqliteDataReader row, int column) => new(row.GetFieldValue<byte[]>(column));

    private static LedgerFile ReadFile(SqliteDataReader row) =>
        new(
            new FileKey(row.GetFieldValue<byte[]>(0)),
            new FileMetadata(
                new ByteString(row.GetFieldValue<byte[]>(1)),
                new ByteString(row.GetFieldValue<byte[]>(2)),
                new ByteString(row.GetFieldValue<byte[]>(3)),
                (ulong)row.GetInt64(4),
                new Fingerprint(row.GetFieldValue<byte[]>(5))
            ),
            row.GetInt32(6),
            row.GetBoolean(7),
            row.IsDBNull(8) ? null : new FeedPosition(row.GetGuidBytes(8), row.GetInt64(9)),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(10))
        );

    private static IReadOnlyList<ByteString> Split(string joined) =>
        [
            .. joined
                .Split(',', StringSplitOptions.RemoveEmptyEntries)
                .Select(hex =>
                    ByteString.TryParseHex(hex, out var value) ? value : throw new InvalidDataException($"'{hex}' is not hex.")
                ),
        ];
}
