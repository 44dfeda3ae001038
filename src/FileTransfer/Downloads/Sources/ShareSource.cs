using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Sources;

/// <summary>
/// A static share: any web server or bucket over HTTP with ranges. <c>{base}/{key}</c> is the content, <c>{base}/{key}.hashes</c> its
/// chunk hashes.
/// </summary>
public sealed class ShareSource(SourceEntry entry, HttpMessageInvoker http, SourceClientOptions options)
    : Source(new SourceId($"share {entry.Name}"), $"share '{entry.Name}'", entry.Base, http, options)
{
    protected override HttpRequestMessage ProbeRequest(FileKey key) => ContentRequest(key, (0, ChunkFrame.ChunkLength - 1));

    protected override HttpRequestMessage ContentRequest(FileKey key, (long First, long Last)? range = null) =>
        Request(Path(key), range);

    protected override string HashesPathOf(FileKey key) => Path(key) + ".hashes";

    private static string Path(FileKey key) => key.ToHex();
}
