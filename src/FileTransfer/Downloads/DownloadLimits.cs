using FileTransfer.Bandwidth;
using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;
using Microsoft.Extensions.Options;

namespace FileTransfer.Downloads;

/// <summary>What the planner keeps to: the limits in force, and how downloads are configured.</summary>
public sealed class DownloadLimits(TransferLimits limits, IOptions<DownloadOptions> options)
{
    private volatile Terms? _terms;

    public PlannerLimits Planner
    {
        get
        {
            var inForce = limits.InForce;
            if (_terms is not { } terms || !ReferenceEquals(terms.Limits, inForce))
            {
                _terms = terms = new Terms(inForce, Of(inForce));
            }

            return terms.Planner;
        }
    }

    /// <summary>Waits until so many bytes from a source may be taken.</summary>
    public ValueTask AcquireAsync(SourceId source, int bytes, CancellationToken cancellationToken) =>
        limits.AcquireAsync(source.Value, bytes, cancellationToken);

    private PlannerLimits Of(LimitSet inForce)
    {
        var windowChunks = options.Value.WindowBytes / ChunkFrame.ChunkLength;
        return PlannerLimits.Default with
        {
            Requests = inForce.Requests!.Value,
            RequestsPerSource = inForce.RequestsPerSource!.Value,
            Connections = inForce.Connections!.Value,
            WindowChunks = Math.Min(windowChunks, PlannerLimits.Default.WindowChunks),
            LongWindowChunks = windowChunks,
            AnswerPatience = options.Value.FirstBytePatience,
            LongestAnswerPatience = options.Value.FirstBytePatienceCap,
        };
    }

    private sealed record Terms(LimitSet Limits, PlannerLimits Planner);
}
