namespace FileTransfer.Chunks.Durability;

/// <summary>How much of the disk is left alone.</summary>
/// <param name="ConfiguredBytes">The bytes asked for; null for the larger of 1 GiB and 2 % of the file system.</param>
public readonly record struct FreeSpaceFloor(long? ConfiguredBytes)
{
    private const long DefaultBytes = 1L << 30;

    public long BytesOf(long total) => ConfiguredBytes ?? Math.Max(DefaultBytes, total / 50);
}

/// <summary>What the file system of the data directory says, and the floor it is held against.</summary>
public readonly record struct FreeSpaceReport(long BytesFree, long BytesTotal, long FloorBytes)
{
    /// <summary>No download is started while this is so.</summary>
    public bool IsBelowFloor => BytesFree < FloorBytes;

    /// <summary>Whether so many more bytes can be kept without going below the floor.</summary>
    public bool HasRoomFor(long bytes) => BytesFree - FloorBytes >= bytes;

    internal static FreeSpaceReport Of(string folder, FreeSpaceFloor floor)
    {
        var disk = new DriveInfo(folder);
        var total = disk.TotalSize;
        return new FreeSpaceReport(disk.AvailableFreeSpace, total, floor.BytesOf(total));
    }

    internal static long? BytesFreeAt(string path)
    {
        try
        {
            return new DriveInfo(Path.GetDirectoryName(path) ?? path).AvailableFreeSpace;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
