using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Catalog.Repair;

/// <summary>How stored contents are proven again, whether or not anybody reads them. Section <c>FileTransfer:Scrub</c>.</summary>
public sealed class ScrubOptions
{
    public const string Section = "FileTransfer:Scrub";

    /// <summary>Every stored content is proven once in this time; the pace follows from the bytes that are held.</summary>
    /// <remarks>Default 30 days, 1 min – 365 days: disks lose some sectors a year, and what is lost at two nodes at once is lost.</remarks>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan Period { get; set; } = TimeSpan.FromDays(30);

    /// <summary>No scrub reads faster than this, also one that a person asked for.</summary>
    /// <remarks>Default 100 MiB, 64 KiB – 100 GiB: what a disk spares beside readers and downloads.</remarks>
    [Range(64L * 1024, 100L * 1024 * 1024 * 1024)]
    public long BytesPerSecond { get; set; } = 100L * 1024 * 1024;
}
