using System.ComponentModel.DataAnnotations;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads;

/// <summary>How downloads are done. Section <c>FileTransfer:Downloads</c>. Times are written <c>[d.]hh:mm:ss[.fff]</c>.</summary>
public sealed class DownloadOptions
{
    public const string Section = "FileTransfer:Downloads";

    /// <summary>Downloads done at once; each holds one database session of its own, while there is something to do.</summary>
    /// <remarks>Default 4, 1–64: four hide the round trips of small files; more sessions than 64 per node crowd the database.</remarks>
    [Range(1, 64)]
    public int Lanes { get; set; } = 4;

    /// <summary>Attempts before a replica is <c>failed</c>, to be tried again only for a new source or when a person asks.</summary>
    /// <remarks>Default 8, 1–1000: with the default back-off a source may be down for some minutes before anyone is called.</remarks>
    [Range(1, 1000)]
    public int MaxAttempts { get; set; } = 8;

    /// <summary>Upper bound of the first pause after a failed attempt; it doubles with every further one, with full jitter.</summary>
    /// <remarks>Default 1 s, 10 ms – 1 h.</remarks>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan BackoffBase { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>No pause between attempts is longer than this.</summary>
    /// <remarks>Default 5 min, 10 ms – 1 day and not less than <see cref="BackoffBase"/>.</remarks>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan BackoffCap { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How often the queue is looked at, although no notification came, while something is in it or was a moment ago.</summary>
    /// <remarks>
    /// Default 1 s, 10 ms – 1 min: notifications are a hint and can be lost; this bounds what that costs. Whether something came into an
    /// empty queue is asked with the node's heartbeat, every 2 s.
    /// </remarks>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes of content asked for in one request, at the most; above 4 MiB only what a source brings within 50 ms.</summary>
    /// <remarks>Default 16 MiB, 64 KiB – 1 GiB: large enough for its price not to show, small enough to be fetched twice after a crash.</remarks>
    [Range(64 * 1024, 1024 * 1024 * 1024)]
    public int WindowBytes { get; set; } = 4 * PlannerLimits.WindowBytes;

    /// <summary>A source that stays below this many bytes per second for a <see cref="StallPeriod"/> is given up.</summary>
    /// <remarks>Default 16384, 0–1073741824; 0 waits for ever.</remarks>
    [Range(0, 1024 * 1024 * 1024)]
    public int StallFloorBytesPerSecond { get; set; } = 16 * 1024;

    /// <summary>Over how long the rate of a source is measured before it counts as stalled.</summary>
    /// <remarks>Default 10 s, 100 ms – 1 h.</remarks>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan StallPeriod { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a source may take to the first byte of an answer before it counts as unreachable; one that was seen to take longer has twice that.</summary>
    /// <remarks>Default 1 s, 100 ms – 10 min: a dead source is found out before anyone wonders. Raise it for cold storage.</remarks>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan FirstBytePatience { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>No source is waited for longer than this for a first byte, however slow it was before.</summary>
    /// <remarks>Default 1 min, 100 ms – 10 min and not less than <see cref="FirstBytePatience"/>.</remarks>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan FirstBytePatienceCap { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>An attempt that takes longer than this has failed.</summary>
    /// <remarks>Default none, 1 s – 30 days: a download that goes on at or above the floor may take its time.</remarks>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan? Deadline { get; set; }

    /// <summary>What is wrong with these values together, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        if (BackoffCap < BackoffBase)
        {
            yield return $"{Section}:BackoffCap is '{BackoffCap}'; write a time of at least BackoffBase, {BackoffBase}.";
        }

        if (FirstBytePatienceCap < FirstBytePatience)
        {
            yield return $"{Section}:FirstBytePatienceCap is '{FirstBytePatienceCap}'; "
                + $"write a time of at least FirstBytePatience, {FirstBytePatience}.";
        }
    }
}
