using System.ComponentModel.DataAnnotations;

namespace FileTransfer.Uploads;

/// <summary>What is asked of those who send a body. Section <c>FileTransfer:Uploads</c>.</summary>
public sealed class UploadLimits
{
    /// <summary>A request whose body brings no byte for so long is ended; what is proven of an upload is kept.</summary>
    /// <remarks>Default 1 min, 1 s – 1 day: longer than any pause of a sender that is still there.</remarks>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(1);
}
