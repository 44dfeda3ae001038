namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>A backup of a folder, as a copy of its files makes one.</summary>
internal static class FolderCopy
{
    public static void Make(string folder, string copy)
    {
        Directory.CreateDirectory(copy);
        foreach (var inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(copy, Path.GetRelativePath(folder, inner)));
        }

        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(copy, Path.GetRelativePath(folder, file)));
        }
    }
}
