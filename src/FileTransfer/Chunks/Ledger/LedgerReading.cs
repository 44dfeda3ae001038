using FileTransfer.Chunks.Small;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Ledger;

internal static class LedgerReading
{
    private const string Columns =
        "file_key, owner, bucket, location, size, fingerprint, generation, pinned, epoch, sequence, stored_at";

    public static LedgerFile? Find(SmallConnection engine, FileKey key) =>
        engine.Query($"SELECT {Columns} FROM files WHERE file_key = $1", ReadFile, key) is [var file] ? file : null;

    public static Fingerprint? FindVisible(SmallConnection engine, FileKey key) =>
        engine.Scalar("SELECT fingerprint FROM files WHERE file_key = $1 AND hidden = 0", key) is byte[] fingerprint
            ? new Fingerprint(fingerprint)
            : null;

    public static bool IsHidden(SmallConnection engine, FileKey key) =>
        engine.Scalar("SELECT 1 FROM files WHERE file_key = $1 AND hidden = 1", key) is not null;

    public static IReadOnlyList<FileKey> Visible(SmallConnection engine, FileKey? after, int limit) =>
        engine.Query(
            "SELECT file_key FROM files WHERE file_key > $1 AND hidden = 0 ORDER BY file_key LIMIT $2",
            row => new FileKey(row.GetFieldValue<byte[]>(0)),
            after?.ToArray() ?? [],
            limit
        );

    public static IReadOnlyList<LedgerFile> Files(SmallConnection engine, FileKey? after, int limit) =>
        engine.Query(
            $"SELECT {Columns} FROM files WHERE file_key > $1 ORDER BY file_key LIMIT $2",
            ReadFile,
            after?.ToArray() ?? [],
            limit
        );

    public static IReadOnlyList<LedgerFile> FilesOf(SmallConnection engine, Fingerprint fingerprint) =>
        engine.Query($"SELECT {Columns} FROM files WHERE fingerprint = $1", ReadFile, fingerprint);

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
