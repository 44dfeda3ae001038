using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Chunks;

/// <summary>Where this node keeps its contents. Section <c>FileTransfer</c>.</summary>
public sealed class StoreOptions
{
    public const string Section = "FileTransfer";

    /// <summary>The folder everything is kept under; created when missing, used by one process at a time.</summary>
    /// <remarks>Default <c>data</c>, relative to the working directory.</remarks>
    [Required(ErrorMessage = "the path of a folder, for example data")]
    public string DataDirectory { get; set; } = "data";

    /// <summary>The folder that <c>POST /v1/exports</c> writes shares below; it has to be there.</summary>
    /// <remarks>Default none: such requests are refused. A whole path; neither in the data folder nor above it.</remarks>
    public string? ExportFolder { get; set; }

    public StoreLimits Store { get; set; } = new();

    /// <summary>What is wrong with these values together, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        if (ExportFolder is { } folder && !Path.IsPathFullyQualified(folder))
        {
            yield return $"{Section}:ExportFolder is '{folder}'; write the whole path of a folder.";
        }
        else if (ExportFolder is { } other && (IsIn(other, DataDirectory) || IsIn(DataDirectory, other)))
        {
            yield return $"{Section}:ExportFolder is '{other}', and {Section}:DataDirectory is '{DataDirectory}'; "
                + "write two folders of which neither lies in the other.";
        }
    }

    private static bool IsIn(string folder, string other) =>
        Path.GetRelativePath(Path.GetFullPath(other), Path.GetFullPath(folder)) is var way
        && way != ".."
        && !way.StartsWith("../", StringComparison.Ordinal);
}

/// <summary>Limits of the store. Section <c>FileTransfer:Store</c>.</summary>
public sealed class StoreLimits
{
    /// <summary>Bytes of the file system that are left free: below it no download starts.</summary>
    /// <remarks>Default: the larger of 1 GiB and 2 % of the file system; from 0 on.</remarks>
    [Range(0, long.MaxValue)]
    public long? FreeSpaceFloorBytes { get; set; }

    /// <summary>How long the contents of removed files are kept, so that the files can be restored.</summary>
    /// <remarks>Default 24 h, 0 – 365 days; 0 keeps none. The oldest go earlier where the disk needs the room.</remarks>
    [Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan TrashPeriod { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long a content that no file refers to is kept before it is collected.</summary>
    /// <remarks>Default 1 h, 0 – 30 days: a content on its way to its commit must not be taken for an orphan.</remarks>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan OrphanGrace { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long a content that was proven whole, and whose file has not changed since, is served without being hashed again for each reader.
    /// </summary>
    /// <remarks>
    /// Default 1 h, 0 – 30 days. 0 hashes what every reader gets, for some 0.14 s of CPU a GiB. Whatever writes to the file ends the period;
    /// what the disk itself forgets is found when it is over, or by the scrub.
    /// </remarks>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan ProofPeriod { get; set; } = TimeSpan.FromHours(1);
}
