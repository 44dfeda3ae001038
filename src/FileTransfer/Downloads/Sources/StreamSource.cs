using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Sources;

/// <summary>A configured server that has nothing but whole framed bodies at <c>GET /download/{key}</c>: an older StorageHub node.</summary>
public sealed class StreamSource(SourceEntry entry, HttpMessageInvoker http, SourceClientOptions options)
    : Source(
        new SourceId($"stream {entry.Name}"),
        $"stream '{entry.Name}'",
        entry.Base,
        new ConfiguredClient(entry, http),
        options
    )
{
    protected override async Task<bool> ReceiveWholeAsync(
        FileKey key,
        long size,
        ChunkSink put,
        FetchProgress progress,
        CancellationToken cancellationToken
    )
    {
        await using var body = await OpenAsync(
            Request(Path(key)),
            "frames",
            ChunkFrame.BodyLength(size),
            progress,
            cancellationToken
        );
        await body.ReadFramesAsync(size, run => put(run.FirstChunk, run.Bytes.Span), cancellationToken);
        return body.IsPage;
    }

    protected override HttpRequestMessage ProbeRequest(FileKey key) => Request(Path(key), (0, ChunkFrame.Length - 1));

    // The planner asks a stream for whole contents alone, as its invariants check: whoever comes here has a defect.
    protected override HttpRequestMessage ContentRequest(FileKey key, (long First, long Last)? range = null) =>
        throw new NotSupportedException($"{Id} has nothing but frames.");

    protected override string HashesPathOf(FileKey key) => throw new NotSupportedException($"{Id} has no chunk hashes.");

    /// <summary>Below the path of its address.</summary>
    private static string Path(FileKey key) => Routes.Of(Routes.Download, key.ToHex()).TrimStart('/');
}
