using FileTransfer.Downloads.Planning;
using Microsoft.Extensions.Options;

namespace FileTransfer.Downloads.Sources;

/// <summary>On what terms sources are asked: how slow they may be, and how fast this node wants to be.</summary>
public sealed class SourceClientOptions(IOptions<DownloadOptions> options, DownloadLimits limits, TimeProvider time)
{
    public DownloadOptions Options => options.Value;

    public TimeProvider Time => time;

    /// <summary>How long a source may take to the head of an answer; the planner's patience with it may end before.</summary>
    public TimeSpan LongestToFirstByte
    {
        get
        {
            var planner = limits.Planner;
            var longest =
                planner.LongestAnswerPatience > planner.AnswerPatience ? planner.LongestAnswerPatience : planner.AnswerPatience;
            return longest > options.Value.StallPeriod ? longest : options.Value.StallPeriod;
        }
    }

    /// <summary>Waits until so many bytes from a source may be taken.</summary>
    public ValueTask TakeAsync(SourceId source, int bytes, CancellationToken cancellationToken) =>
        limits.AcquireAsync(source, bytes, cancellationToken);
}
