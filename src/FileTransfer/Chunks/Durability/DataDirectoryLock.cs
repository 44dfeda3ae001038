namespace FileTransfer.Chunks.Durability;

/// <summary>A data directory serves one process at a time, which writes its number into the lock file.</summary>
internal static class DataDirectoryLock
{
    /// <exception cref="DataDirectoryInUseException">Another process, or another store of this one, has it.</exception>
    public static FileLock Take(StorePaths paths)
    {
        if (FileLock.TryTake(paths.LockFile, out var holder) is not { } held)
        {
            var isNumber = int.TryParse(holder, NumberStyles.None, CultureInfo.InvariantCulture, out var id);
            throw new DataDirectoryInUseException(paths.Root, isNumber ? id : null);
        }

        try
        {
            held.Write(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }
}

/// <summary>Another process has the data directory.</summary>
/// <param name="processId">Its number, as it wrote it down; null where it has not.</param>
public sealed class DataDirectoryInUseException(string dataDirectory, int? processId)
    : IOException(
        $"The data directory {dataDirectory} is in use by "
            + (processId is { } id ? $"process {id}" : "another process")
            + ". Stop that process, or give this one a folder of its own in FileTransfer:DataDirectory."
    )
{
    public string DataDirectory { get; } = dataDirectory;

    public int? ProcessId { get; } = processId;
}
