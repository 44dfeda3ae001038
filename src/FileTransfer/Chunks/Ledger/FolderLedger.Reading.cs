namespace FileTransfer.Chunks.Ledger;

public sealed partial class FolderLedger
{
    public LedgerFile? Find(FileKey key) => _database.Read(engine => LedgerReading.Find(engine, key));

    /// <summary>Whether another file than <paramref name="except"/> is known to have this content.</summary>
    public bool RefersTo(Fingerprint fingerprint, FileKey? except) =>
        _database
            .Read(engine =>
                engine.Query(
                    "SELECT file_key FROM files WHERE fingerprint = $1 AND file_key <> $2",
                    row => new FileKey(row.GetFieldValue<byte[]>(0)),
                    fingerprint,
                    except?.ToArray() ?? []
                )
            )
            .Any(key => !_leaving.ContainsKey(key));

    public IReadOnlyList<LedgerFile> Files(FileKey? after, int limit) =>
        _database.Read(engine => LedgerReading.Files(engine, after, limit));

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
