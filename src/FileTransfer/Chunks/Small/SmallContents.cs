using Microsoft.Data.Sqlite;

namespace FileTransfer.Chunks.Small;

/// <summary>Small contents as rows of <c>small.db</c>. Nothing here is proven: whoever reads hashes.</summary>
internal static class SmallContents
{
    /// <summary>Adds a content, unless one of its name is there.</summary>
    public static void Put(SmallConnection engine, Fingerprint fingerprint, ReadOnlyMemory<byte> bytes)
    {
        if (PlaceOf(engine, fingerprint) is not null)
        {
            return;
        }

        var place = engine.Scalar("INSERT INTO bytes (bytes) VALUES ($1) RETURNING place", bytes.ToArray());
        engine.Execute("INSERT INTO contents (fingerprint, place, size) VALUES ($1, $2, $3)", fingerprint, place, bytes.Length);
    }

    public static long? SizeOf(SmallConnection engine, Fingerprint fingerprint) =>
        (long?)engine.Scalar("SELECT size FROM contents WHERE fingerprint = $1", fingerprint);

    /// <summary>The bytes of a content; null when it is not there.</summary>
    /// <exception cref="ContentDamagedException">It is there, and its bytes cannot be read.</exception>
    public static byte[]? Read(SmallConnection engine, Fingerprint fingerprint)
    {
        try
        {
            var found = engine.Query(
                "SELECT b.bytes FROM contents c LEFT JOIN bytes b ON b.place = c.place WHERE c.fingerprint = $1",
                row => row.IsDBNull(0) ? null : row.GetFieldValue<byte[]>(0),
                fingerprint
            );
            return found is not [var bytes]
                ? null
                : bytes ?? throw new ContentDamagedException(fingerprint, "its bytes are missing in small.db");
        }
        catch (SqliteException damage) when (IsOfBytes(engine, fingerprint, damage))
        {
            throw ContentDamagedException.Unreadable(fingerprint, damage);
        }
    }

    /// <summary>The content of a file that is not hidden; null where there is none, or it cannot be read.</summary>
    public static (Fingerprint Fingerprint, byte[] Bytes)? TryReadOf(SmallConnection engine, FileKey key)
    {
        const string sql = """
            SELECT f.fingerprint, b.bytes FROM files f
            JOIN contents c ON c.fingerprint = f.fingerprint
            JOIN bytes b ON b.place = c.place
            WHERE f.file_key = $1 AND f.hidden = 0
            """;
        try
        {
            var found = engine.Query(
                sql,
                row => (new Fingerprint(row.GetFieldValue<byte[]>(0)), row.GetFieldValue<byte[]>(1)),
                key
            );
            return found is [var content] ? content : null;
        }
        catch (SqliteException damage) when (SmallConnection.IsDamage(damage) || SmallConnection.IsUnreadable(damage))
        {
            return null;
        }
    }

    /// <summary>Takes a content out. Bytes that are damaged stay where they are: their pages are not used again.</summary>
    public static void Delete(SmallConnection engine, Fingerprint fingerprint)
    {
        if (PlaceOf(engine, fingerprint) is not { } place)
        {
            return;
        }

        engine.Execute("DELETE FROM contents WHERE fingerprint = $1", fingerprint);
        try
        {
            engine.Execute("DELETE FROM bytes WHERE place = $1", place);
        }
        catch (SqliteException damage) when (SmallConnection.IsDamage(damage))
        {
            // The statement is undone, and the content has no name any more.
        }
    }

    /// <summary>In the order of their fingerprints.</summary>
    public static IReadOnlyList<ContentInfo> After(SmallConnection engine, Fingerprint? after, int limit) =>
        engine.Query(
            "SELECT fingerprint, size FROM contents WHERE fingerprint > $1 ORDER BY fingerprint LIMIT $2",
            row => new ContentInfo(new Fingerprint(row.GetFieldValue<byte[]>(0)), row.GetInt64(1)),
            after?.ToArray() ?? [],
            limit
        );

    private static long? PlaceOf(SmallConnection engine, Fingerprint fingerprint) =>
        (long?)engine.Scalar("SELECT place FROM contents WHERE fingerprint = $1", fingerprint);

    /// <summary>Whether damage is of these bytes alone: the content's name can be looked up. What else is damaged is the database's.</summary>
    private static bool IsOfBytes(SmallConnection engine, Fingerprint fingerprint, SqliteException damage) =>
        (SmallConnection.IsDamage(damage) || SmallConnection.IsUnreadable(damage)) && PlaceOf(engine, fingerprint) is not null;
}
