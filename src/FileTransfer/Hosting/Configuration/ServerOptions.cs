using System.ComponentModel.DataAnnotations;
using FileTransfer.Serving;
using FileTransfer.Uploads;

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

    /// <summary>Whether <c>/swagger</c> describes the routes to everyone who reaches the node.</summary>
    /// <remarks>Default true.</remarks>
    public bool Swagger { get; set; } = true;

    public ServingLimits Serving { get; set; } = new();

    public UploadLimits Uploads { get; set; } = new();
}

/// <summary>How log lines are written.</summary>
public enum LogFormat
{
    Text,
    Json,
}
