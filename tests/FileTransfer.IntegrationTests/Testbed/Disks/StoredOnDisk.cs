using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>What a disk does to a content of a node, and where it is.</summary>
internal static class StoredOnDisk
{
    public static string PathOf(NodeProcess node, string fingerprint)
    {
        var hex = fingerprint[2..];
        return Path.Combine(node.DataDirectory, "content", hex[..2], hex[2..4], hex);
    }

    public static string LinkOf(NodeProcess node, string key) => Path.Combine(node.DataDirectory, "files", key[2..4], key[2..]);

    public static void Flip(NodeProcess node, string fingerprint, long at) =>
        Write(
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
        Write(node, fingerprint, file => file.SetLength(length));

    public static void Delete(NodeProcess node, string fingerprint) => File.Delete(PathOf(node, fingerprint));

    public static IReadOnlyList<string> Quarantined(NodeProcess node) =>
        [.. Directory.EnumerateFiles(Path.Combine(node.DataDirectory, "quarantine"), "*.reason").Select(File.ReadAllText)];

    private static void Write(NodeProcess node, string fingerprint, Action<FileStream> write)
    {
        var path = PathOf(node, fingerprint);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        write(file);
    }
}
