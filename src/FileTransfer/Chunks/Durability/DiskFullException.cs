namespace FileTransfer.Chunks.Durability;

/// <summary>There is no room left where the data directory is, or a quota is used up.</summary>
public sealed class DiskFullException : IOException
{
    private const int NoSpaceLeft = 28;
    private const int QuotaExceeded = 122;

    internal DiskFullException(string path, Exception? inner)
        : this(path, FreeSpaceReport.BytesFreeAt(path), inner) { }

    /// <summary>There is room, but so much is to stay free.</summary>
    internal DiskFullException(string path, FreeSpaceReport space)
        : this(
            path,
            space.BytesFree,
            $"Nothing grows in {path}: {space.BytesFree} bytes are free, and {space.FloorBytes} must stay free.",
            inner: null
        ) { }

    private DiskFullException(string path, long? bytesFree, Exception? inner)
        : this(path, bytesFree, Describe(path, bytesFree), inner) { }

    private DiskFullException(string path, long? bytesFree, string message, Exception? inner)
        : base(message, inner)
    {
        HResult = NoSpaceLeft;
        Path = path;
        BytesFree = bytesFree;
    }

    public string Path { get; }

    /// <summary>Bytes that were free just after the failure; null where it could not be found out.</summary>
    public long? BytesFree { get; }

    private static string Describe(string path, long? bytesFree)
    {
        var bytes = bytesFree is { } free ? $"{free} bytes are free" : "an unknown number of bytes is free";
        return FreeNames.At(path) == 0
            ? $"No inodes left to write {path}, though {bytes}: the file system can have no more files. "
                + "Remove files, or make the file system anew with more inodes; it is tried again by itself."
            : $"No space left to write {path}: {bytes}. Free space or enlarge the disk or quota; it is tried again by itself.";
    }

    /// <summary>Does what writes to a file, and names the file where there is no room for it.</summary>
    internal static T Guard<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (IOException exception) when (IsDiskFull(exception))
        {
            throw new DiskFullException(path, exception);
        }
    }

    /// <inheritdoc cref="Guard{T}"/>
    internal static void Guard(string path, Action work) =>
        Guard(
            path,
            () =>
            {
                work();
                return true;
            }
        );

    internal static bool IsDiskFull(int errno) => errno is NoSpaceLeft or QuotaExceeded;

    /// <summary>The runtime's I/O exceptions carry errno in their HResult.</summary>
    internal static bool IsDiskFull(IOException exception) => exception is not DiskFullException && IsDiskFull(exception.HResult);
}
