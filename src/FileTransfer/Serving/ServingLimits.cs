using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Serving;

/// <summary>What is asked of readers. Section <c>FileTransfer:Serving</c>.</summary>
public sealed class ServingLimits
{
    /// <summary>How long a reader may pause in the middle of an answer.</summary>
    /// <remarks>Default 10 min, 1 s – 1 day: a player or a slow tool behind a pipe pauses for minutes.</remarks>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan PauseTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Bytes per second, averaged over <see cref="PauseTimeout"/>, below which a reader is ended; 0 = it may take a byte at a time.</summary>
    /// <remarks>Default 100, from 0 on: less is no use to anyone, and holds memory.</remarks>
    [Range(0, int.MaxValue)]
    public int MinimumBytesPerSecond { get; set; } = 100;

    /// <summary>How many readers may pause at once; above it the one that has paused for longest is ended.</summary>
    /// <remarks>Default 256, 1 – 100000: each holds up to 1 MiB of memory.</remarks>
    [Range(1, 100_000)]
    public int PausedReaders { get; set; } = 256;
}
