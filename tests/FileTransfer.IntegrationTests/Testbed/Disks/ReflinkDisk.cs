using System.Runtime.CompilerServices;

namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>A fact that needs a file system whose files can share blocks; skipped, and says why, where none can be mounted.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ReflinkDiskFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Hindrance = new(ReflinkDisk.Hindrance);

    public ReflinkDiskFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line) => Skip = Hindrance.Value;
}

/// <summary>A Btrfs in a file, on a folder.</summary>
internal sealed class ReflinkDisk : IDisposable
{
    private readonly string _folder;

    public ReflinkDisk(string folder)
    {
        _folder = Directory.CreateDirectory(folder).FullName;
        var image = _folder + ".image";
        using (var file = File.Create(image))
        {
            file.SetLength(256 * 1024 * 1024);
        }

        var fault = SmallDisk.Run("mkfs.btrfs", "-q", image) ?? SmallDisk.Run("mount", "-o", "loop", image, _folder);
        if (fault is not null)
        {
            File.Delete(image);
            throw new InvalidOperationException(fault);
        }
    }

    public long BytesFree => new DriveInfo(_folder).AvailableFreeSpace;

    public string At(string name) => Path.Combine(_folder, name);

    public void Dispose()
    {
        SmallDisk.Run("umount", "-l", _folder);
        File.Delete(_folder + ".image");
    }

    public static string? Hindrance()
    {
        var folder = Directory.CreateTempSubdirectory("filetransfer-reflink-").FullName;
        try
        {
            using (new ReflinkDisk(folder)) { }

            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"A Btrfs cannot be made and mounted here; run as root, with btrfs-progs installed. {e.Message}";
        }
        finally
        {
            Directory.Delete(folder);
        }
    }
}
