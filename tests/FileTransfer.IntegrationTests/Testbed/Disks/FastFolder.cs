namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>A folder for many small states, in memory where there is such a file system with room.</summary>
internal sealed class FastFolder : IDisposable
{
    private const string InMemory = "/dev/shm";
    private const long EnoughBytes = 256L * 1024 * 1024;
    private readonly string _path;

    public FastFolder()
    {
        var parent =
            Directory.Exists(InMemory) && new DriveInfo(InMemory).AvailableFreeSpace > EnoughBytes
                ? InMemory
                : Path.GetTempPath();
        _path = Directory.CreateDirectory(Path.Combine(parent, $"filetransfer-power-{Guid.NewGuid():n}")).FullName;
    }

    public string this[string name] => Path.Combine(_path, name);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
