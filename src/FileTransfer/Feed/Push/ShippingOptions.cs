using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Feed.Push;

/// <summary>How this cluster ships its feed to followers. Section <c>FileTransfer:Shipping</c>.</summary>
public sealed class ShippingOptions
{
    public const string Section = "FileTransfer:Shipping";

    /// <summary>For how long a follower may be unreachable, or be told all files, before the check <c>followers</c> says so.</summary>
    /// <remarks>Default 1 min, 0 – 1 day: longer than a follower takes to start again.</remarks>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan WarnAfter { get; set; } = TimeSpan.FromMinutes(1);

    public ShippingBudget Budget { get; set; } = new();
}

/// <summary>How far a follower may be behind before it is not shipped what it lacks, but compared when it is back.</summary>
public sealed class ShippingBudget
{
    /// <summary>How old the oldest mutation may be that it has not acknowledged.</summary>
    /// <remarks>Default 1 day, 1 s – 365 days.</remarks>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan Time { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How many mutations of one bin it may not have acknowledged.</summary>
    /// <remarks>Default 1,000,000; 1 – 1,000,000,000. To compare costs about as much as to ship as many mutations as there are files.</remarks>
    [Range(1, 1_000_000_000)]
    public int Entries { get; set; } = 1_000_000;
}
