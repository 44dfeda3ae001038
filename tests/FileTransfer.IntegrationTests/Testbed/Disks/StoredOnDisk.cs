using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.Data.Sqlite;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>What a disk does to a content of a node, and where it is.</summary>
internal static class StoredOnDisk
{
    public static string PathOf(NodeProcess node, string fingerprint)
    {
        var hex = fingerprint[2..];
        return Path.Combine(node.DataDirectory, "content", hex[..2], hex[2..4], hex);
    }

    /// <summary>The contents in a data folder, each with what identifies its bytes: an inode, or a place in the database.</summary>
    public static IReadOnlyList<string> ContentsIn(string dataDirectory)
    {
        using var find = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(
                "find",
                [Path.Combine(dataDirectory, "content"), "-type", "f", "-regex", ".*/[0-9a-f]*", "-printf", "%i %f\n"]
            )
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
            }
        )!;
        var files = find.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        find.WaitForExit();
        find.ExitCode.ShouldBe(0);
        return [.. files, .. Rows(dataDirectory).Select(row => $"{row.Place} {row.Fingerprint}")];
    }

    public static bool Holds(string dataDirectory, string fingerprint) =>
        ContentsIn(dataDirectory).Any(content => content.EndsWith($" {fingerprint}", StringComparison.Ordinal));

    /// <summary>The small contents of a data folder.</summary>
    public static IReadOnlyList<(string Fingerprint, long Place, byte[] Bytes)> Rows(string dataDirectory) =>
        Query(
            dataDirectory,
            "SELECT c.fingerprint, c.place, b.bytes FROM contents c JOIN bytes b USING (place)",
            row => (Hex(row), row.GetInt64(1), row.GetFieldValue<byte[]>(2))
        );

    /// <summary>The files that readers get, as the folder remembers them.</summary>
    public static IReadOnlyList<string> Visible(string dataDirectory) =>
        Query(dataDirectory, "SELECT file_key FROM files WHERE hidden = 0", Hex);

    public static void Execute(string dataDirectory, string sql, params object[] values)
    {
        using var database = Open(dataDirectory, SqliteOpenMode.ReadWrite);
        using var command = database.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue($"${i + 1}", values[i]);
        }

        command.ExecuteNonQuery();
    }

    public static void Flip(NodeProcess node, string fingerprint, long at) =>
        Change(
            node,
            fingerprint,
            file =>
            {
                file.Position = at;
                var was = file.ReadByte();
                file.Position = at;
                file.WriteByte((byte)(was ^ 1));
            }
        );

    public static void Cut(NodeProcess node, string fingerprint, long length) =>
        Change(node, fingerprint, file => file.SetLength(length));

    public static void Delete(NodeProcess node, string fingerprint)
    {
        if (File.Exists(PathOf(node, fingerprint)))
        {
            File.Delete(PathOf(node, fingerprint));
        }

        Execute(node.DataDirectory, "DELETE FROM contents WHERE fingerprint = $1", Convert.FromHexString(fingerprint[2..]));
    }

    public static IReadOnlyList<string> Quarantined(NodeProcess node) =>
        [.. Directory.EnumerateFiles(Path.Combine(node.DataDirectory, "quarantine"), "*.reason").Select(File.ReadAllText)];

    private static List<T> Query<T>(string dataDirectory, string sql, Func<SqliteDataReader, T> read)
    {
        using var database = Open(dataDirectory, SqliteOpenMode.ReadOnly);
        using var select = database.CreateCommand();
        select.CommandText = sql;
        using var row = select.ExecuteReader();
        var rows = new List<T>();
        while (row.Read())
        {
            rows.Add(read(row));
        }

        return rows;
    }

    private static string Hex(SqliteDataReader row) => Convert.ToHexStringLower(row.GetFieldValue<byte[]>(0));

    private static SqliteConnection Open(string dataDirectory, SqliteOpenMode mode)
    {
        var settings = new SqliteConnectionStringBuilder
        {
            DataSource = Path.Combine(dataDirectory, "small.db"),
            Mode = mode,
            Pooling = false,
        };
        var database = new SqliteConnection(settings.ConnectionString);
        database.Open();
        return database;
    }

    private static void Change(NodeProcess node, string fingerprint, Action<Stream> change)
    {
        if (File.Exists(PathOf(node, fingerprint)))
        {
            Write(PathOf(node, fingerprint), change);
            return;
        }

        var (_, place, was) = Rows(node.DataDirectory).Single(row => row.Fingerprint == fingerprint[2..]);
        using var bytes = new MemoryStream();
        bytes.Write(was);
        change(bytes);
        Execute(node.DataDirectory, "UPDATE bytes SET bytes = $1 WHERE place = $2", bytes.ToArray(), place);
    }

    private static void Write(string path, Action<Stream> write)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        write(file);
    }
}
