using FileTransfer.Bandwidth;
using FileTransfer.Catalog.Providers;
using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Sources;

namespace FileTransfer.Downloads;

/// <summary>What the planner and the sources are held to: the limits in force, and how downloads are configured.</summary>
public sealed class DownloadLimits(TransferLimits limits, OutsideSources outside, IOptions<DownloadOptions> options)
{
    /// <summary>An upstream tells of a file before each of its nodes has it, and peers come and go: where none had it, they are asked again soon.</summary>
    private static readonly TimeSpan _upstreamWait = TimeSpan.FromSeconds(3);

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

    /// <summary>What sources are held to.</summary>
    public SourceClientOptions ForSources(TimeProvider time) =>
        new(
            options.Value.StallFloorBytesPerSecond,
            options.Value.StallPeriod,
            () => new[] { Planner.LongestAnswerPatience, Planner.AnswerPatience, options.Value.StallPeriod }.Max(),
            (source, bytes, cancellationToken) => limits.AcquireAsync(source.Value, bytes, cancellationToken),
            time
        );

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
            NoSourceWait = outside.Upstreams ? _upstreamWait : PlannerLimits.Default.NoSourceWait,
        };
    }

    private sealed record Terms(LimitSet Limits, PlannerLimits Planner);
}
