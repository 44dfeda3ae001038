using System.Net.Http.Headers;

namespace FileTransfer.Cli.Client;

/// <summary>Files with their metadata as the body of a batch.</summary>
public sealed class BatchBody : WatchedBody
{
    private readonly IReadOnlyCollection<ReadOnlyMemory<byte>> _entries;

    public BatchBody(IReadOnlyCollection<ReadOnlyMemory<byte>> entries)
    {
        _entries = entries;
        Headers.ContentType = new MediaTypeHeaderValue(FileBatch.MediaType);
    }

    public long Size => _entries.Sum(entry => (long)entry.Length);

    protected override bool TryComputeLength(out long length)
    {
        length = Size;
        return true;
    }

    protected override async Task WriteAsync(Stream stream, CancellationToken cancellationToken)
    {
        foreach (var entry in _entries)
        {
            Moved();
            await stream.WriteAsync(entry, cancellationToken);
        }
    }
}
