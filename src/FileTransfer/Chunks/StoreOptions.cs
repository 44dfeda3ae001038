namespace FileTransfer.Chunks;

/// <summary>Where this node keeps its contents, read from the section <c>FileTransfer</c>.</summary>
public sealed class StoreOptions
{
    /// <summary>
    /// The folder everything is kept under; created when missing, used by one process at a time. Relative to the working directory.
    /// Default <c>data</c>.
    /// </summary>
    public string DataDirectory { get; set; } = "data";

    public StoreLimits Store { get; set; } = new();

    /// <summary>What is wrong with these values, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        if (string.IsNullOrWhiteSpace(DataDirectory))
        {
            yield return "FileTransfer:DataDirectory is empty; write the path of a folder, for example data.";
        }

        if (Store.FreeSpaceFloorBytes < 0)
        {
            yield return $"FileTransfer:Store:FreeSpaceFloorBytes is {Store.FreeSpaceFloorBytes}; write a number of bytes from 0 on, "
                + "or leave it out for the larger of 1 GiB and 2 % of the disk.";
        }

        if (Store.OrphanGrace < TimeSpan.Zero || Store.OrphanGrace > StoreLimits.MaxOrphanGrace)
        {
            yield return $"FileTransfer:Store:OrphanGrace is {Store.OrphanGrace}; write a time from 00:00:00 to 30.00:00:00, "
                + "for example 01:00:00.";
        }
    }
}

/// <summary>Limits of the store, read from <c>FileTransfer:Store</c>.</summary>
public sealed class StoreLimits
{
    internal static readonly TimeSpan MaxOrphanGrace = TimeSpan.FromDays(30);

    /// <summary>
    /// Bytes of the file system that are left free: below it no download starts. From 0 on; default the larger of 1 GiB and 2 %.
    /// </summary>
    public long? FreeSpaceFloorBytes { get; set; }

    /// <summary>How long a content that no file refers to is kept before it is collected. 0 to 30 days; default 1 hour.</summary>
    public TimeSpan OrphanGrace { get; set; } = TimeSpan.FromHours(1);
}
