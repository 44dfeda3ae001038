using System.Diagnostics;
using System.Globalization;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>A folder as it is when a log begins, all of it durable.</summary>
internal sealed class DiskSnapshot
{
    private DiskSnapshot() { }

    public DiskObject Root { get; } = new(DiskObjectKind.Folder);

    public Dictionary<long, DiskObject> Inodes { get; } = [];

    public static DiskSnapshot Of(string folder)
    {
        var snapshot = new DiskSnapshot();
        using var find = Process.Start(
            new ProcessStartInfo("find", [folder, "-printf", "%i\\t%y\\t%P\\t%l\\n"])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            }
        )!;
        while (find.StandardOutput.ReadLine() is { } line)
        {
            var parts = line.Split('\t');
            snapshot.Add(folder, long.Parse(parts[0], CultureInfo.InvariantCulture), parts[1], parts[2], parts[3]);
        }

        find.WaitForExit();
        find.ExitCode.ShouldBe(0);
        return snapshot;
    }

    private void Add(string folder, long inode, string kind, string path, string target)
    {
        if (path.Length == 0)
        {
            Inodes[inode] = Root;
            return;
        }

        var bytes = kind == "f" ? File.ReadAllBytes(Path.Combine(folder, path)) : [];
        var found = new DiskObject(
            kind switch
            {
                "d" => DiskObjectKind.Folder,
                "l" => DiskObjectKind.Link,
                _ => DiskObjectKind.File,
            },
            target,
            bytes
        )
        {
            Length = bytes.Length,
        };
        var parts = path.Split('/');
        var parent = parts[..^1].Aggregate(Root, (above, part) => above.Names[part]);
        parent.Names[parts[^1]] = found;
        parent.InitialNames[parts[^1]] = found;
        Inodes[inode] = found;
    }
}
