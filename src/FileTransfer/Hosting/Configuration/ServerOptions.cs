using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Hosting.Configuration;

/// <summary>How the process logs and stops. Section <c>FileTransfer</c>.</summary>
public sealed class ServerOptions
{
    public const string Section = "FileTransfer";

    /// <summary>How long running transfers may go on after the signal to stop; what is left then is cut off.</summary>
    /// <remarks>Default 20 s, 0 – 1 h: shorter than the 30 s most supervisors wait before they kill. Times are written <c>hh:mm:ss</c>.</remarks>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary><c>Text</c> for people, <c>Json</c> (one compact object per line) for log collectors.</summary>
    /// <remarks>Default <c>Text</c>.</remarks>
    public LogFormat LogFormat { get; set; } = LogFormat.Text;

    public ServingLimits Serving { get; set; } = new();

    public UploadLimits Uploads { get; set; } = new();
}

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

/// <summary>What is asked of those who send a body. Section <c>FileTransfer:Uploads</c>.</summary>
public sealed class UploadLimits
{
    /// <summary>A request whose body brings no byte for so long is ended; what is proven of an upload is kept.</summary>
    /// <remarks>Default 1 min, 1 s – 1 day: longer than any pause of a sender that is still there.</remarks>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>How log lines are written.</summary>
public enum LogFormat
{
    Text,
    Json,
}
