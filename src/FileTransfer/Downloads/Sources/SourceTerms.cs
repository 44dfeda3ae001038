using FileTransfer.Downloads.Limits;
using FileTransfer.Downloads.Planning;
using Microsoft.Extensions.Options;

namespace FileTransfer.Downloads.Sources;

/// <summary>On what terms sources are asked: how slow they may be, and how fast this node wants to be.</summary>
public sealed class SourceTerms(IOptions<DownloadOptions> options, TransferLimits limits, TimeProvider time)
{
    public DownloadOptions Options => options.Value;

    public TimeProvider Time => time;

    /// <summary>Waits until so many bytes from a source may be taken.</summary>
    public ValueTask TakeAsync(SourceId source, int bytes, CancellationToken cancellationToken) =>
        limits.TakeAsync(source, bytes, cancellationToken);
}
