using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Chunks.Durability;

/// <summary>Held while a process uses a data directory; the kernel takes it back when the process ends, however it ends.</summary>
internal sealed class DataDirectoryLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private DataDirectoryLock(SafeFileHandle file)
    {
        _file = file;
    }

    /// <exception cref="DataDirectoryInUseException">Another process, or another store of this one, has it.</exception>
    public static DataDirectoryLock Take(StorePaths paths)
    {
        var file = DurableFile.OpenForLock(paths.LockFile);
        try
        {
            if (!DurableFile.TryLock(file, paths.LockFile))
            {
                throw new DataDirectoryInUseException(paths.Root, ReadHolder(file));
            }

            RandomAccess.SetLength(file, 0);
            RandomAccess.Write(file, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)), 0);
            return new DataDirectoryLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Unlocks in so many words: a child process that is just being started may have a copy of the open file.</summary>
    public void Dispose()
    {
        if (!_file.IsClosed)
        {
            DurableFile.Unlock(_file);
            _file.Dispose();
        }
    }

    private static int? ReadHolder(SafeFileHandle file)
    {
        Span<byte> text = stackalloc byte[16];
        var length = RandomAccess.Read(file, text, 0);
        return int.TryParse(text[..length], NumberStyles.None, CultureInfo.InvariantCulture, out var processId)
            ? processId
            : null;
    }
}

/// <summary>A data directory serves one process at a time.</summary>
public sealed class DataDirectoryInUseException(string dataDirectory, int? processId)
    : IOException(
        $"The data directory {dataDirectory} is in use by "
            + (processId is { } id ? $"process {id}" : "another process")
            + ". Stop that process, or give this one a folder of its own in FileTransfer:DataDirectory."
    )
{
    public string DataDirectory { get; } = dataDirectory;

    /// <summary>Who holds it, as that process wrote it down.</summary>
    public int? ProcessId { get; } = processId;
}
