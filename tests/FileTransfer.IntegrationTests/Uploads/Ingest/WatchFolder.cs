using System.Text;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Uploads.Ingest;

/// <summary>A folder that a node watches, and what it makes of it.</summary>
internal sealed class WatchFolder(string path)
{
    public const string Name = "wal";

    public string Path { get; } = Directory.CreateDirectory(path).FullName;

    /// <summary>Where files are written before they are renamed into the folder: beside it, on the same disk.</summary>
    private string Beside { get; } = Directory.CreateDirectory(path + ".beside").FullName;

    public static WatchFolder In(TestCluster cluster) => new(System.IO.Path.Combine(cluster.Folder, "watched"));

    public (string, string)[] Settings(string quietFor = "01:00:00", string pattern = "*.sealed", bool deletes = false) =>
        [
            ("FileTransfer__Ingest__0__Name", Name),
            ("FileTransfer__Ingest__0__Folder", Path),
            ("FileTransfer__Ingest__0__Pattern", pattern),
            ("FileTransfer__Ingest__0__Owner", "0x01"),
            ("FileTransfer__Ingest__0__Bucket", "0x0a"),
            ("FileTransfer__Ingest__0__LocationPrefix", "log/"),
            ("FileTransfer__Ingest__0__QuietFor", quietFor),
            ("FileTransfer__Ingest__0__DeleteWhenAcknowledged", deletes ? "true" : "false"),
        ];

    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Renames a whole file into the folder.</summary>
    public PlainFile Drop(string name, int size = 3000, UnixFileMode? mode = null)
    {
        var content = PlainFile.RandomBytes(size);
        var written = System.IO.Path.Combine(Beside, name);
        File.WriteAllBytes(written, content);
        if (mode is { } given)
        {
            File.SetUnixFileMode(written, given);
        }

        File.Move(written, PathOf(name), overwrite: true);
        return FileOf(name, content);
    }

    /// <summary>The file that a name with this content becomes.</summary>
    public static PlainFile FileOf(string name, byte[] content) =>
        new(content, Encoding.UTF8.GetBytes("log/" + name), [0x0a], [0x01]);

    /// <summary>What a node knows of the folder, which only the one that watches it does before something was taken.</summary>
    public static async Task<JsonElement> StatusAsync(NodeProcess node)
    {
        var folders = (await node.GetJsonAsync("/v1/ingest?limit=1000")).GetProperty("folders");
        return folders.GetArrayLength() == 1 ? folders[0] : throw new IOException($"{node.Id} does not know the folder");
    }

    /// <summary>What the node says of a name; null where it does not know it.</summary>
    public static async Task<JsonElement?> OfAsync(NodeProcess node, string name)
    {
        var files = (await StatusAsync(node)).GetProperty("files").EnumerateArray();
        return files
            .Where(file => file.GetProperty("name").GetString() == name)
            .Select(file => (JsonElement?)file)
            .FirstOrDefault();
    }

    /// <summary>From then on the node hears what is renamed into the folder.</summary>
    public static Task WatchedAsync(NodeProcess node) =>
        Eventually.HoldsAsync(
            async () => (await StatusAsync(node)).TryGetProperty("listedAt", out var at) && at.ValueKind == JsonValueKind.String,
            $"{node.Id} has listed the folder"
        );

    public static Task IngestedAsync(NodeProcess node, long count, TimeSpan? within = null) =>
        Eventually.HoldsAsync(
            async () => (await StatusAsync(node)).GetProperty("ingested").GetInt64() == count,
            $"{count} names are ingested",
            within
        );

    /// <summary>Waits until a name has a reason that says this.</summary>
    public static Task RefusedAsync(NodeProcess node, string name, string reason) =>
        Eventually.HoldsAsync(
            async () =>
                (await OfAsync(node, name))?.GetProperty("reason").GetString()?.Contains(reason, StringComparison.Ordinal)
                == true,
            $"{name} is not taken: {reason}"
        );

    public static Task AcknowledgedAsync(NodeProcess node, string name, params string[] by) =>
        Eventually.HoldsAsync(
            async () =>
                (await OfAsync(node, name))
                    ?.GetProperty("acknowledgedBy")
                    .EnumerateArray()
                    .Select(one => one.GetString())
                    .SequenceEqual(by) == true,
            $"{name} is at {string.Join(", ", by)}"
        );

    /// <summary>The locations of the files that were added, in the order of their commits.</summary>
    public static async Task<IReadOnlyList<string>> AddedAsync(TestCluster cluster) =>
        [.. (await AddedAsync(cluster, "m.appended_at, location")).Select(file => file.Location)];

    /// <summary>The locations of the files that were added, by bin, in the order of their commits.</summary>
    public static async Task<IReadOnlyList<IReadOnlyList<string>>> AddedByBinAsync(TestCluster cluster) =>
        [
            .. (await AddedAsync(cluster, "m.bin, m.appended_at, location"))
                .GroupBy(file => file.Bin)
                .Select(bin => bin.Select(file => file.Location).ToList()),
        ];

    private static async Task<List<(short Bin, string Location)>> AddedAsync(TestCluster cluster, string order)
    {
        var added = new List<(short, string)>();
        await using var command = cluster.Database.Pool.CreateCommand(
            $"""
            SELECT m.bin, convert_from(f.location, 'UTF8') FROM filetransfer.mutations m JOIN filetransfer.files f USING (file_key)
            WHERE m.kind = 'add' ORDER BY {order}
            """
        );
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            added.Add((rows.GetInt16(0), rows.GetString(1)));
        }

        return added;
    }
}
