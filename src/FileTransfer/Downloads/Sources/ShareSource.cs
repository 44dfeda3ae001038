using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads.Sources;

/// <summary>
/// A static share: any web server or bucket over HTTP with ranges. <c>{base}/{key}</c> is the content, <c>{base}/{key}.hashes</c> its
/// chunk hashes.
/// </summary>
public sealed class ShareSource(SourceEntry entry, HttpMessageInvoker http, SourceClientOptions options)
    : Source(new SourceId($"share {entry.Name}"), $"share '{entry.Name}'", entry.Base, new ConfiguredClient(entry, http), options)
{
    /// <summary>Lists the files of a share.</summary>
    public const string IndexName = "index.ndjson";

    protected override HttpRequestMessage ProbeRequest(FileKey key) => ContentRequest(key, (0, ChunkFrame.ChunkLength - 1));

    protected override HttpRequestMessage ContentRequest(FileKey key, (long First, long Last)? range = null) =>
        Request(Path(key), range);

    protected override string HashesPathOf(FileKey key) => Path(key) + ".hashes";

    /// <summary>What the share says that it has. Nothing of it is proven.</summary>
    public async IAsyncEnumerable<FileDescription> IndexAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var progress = new FetchProgress(static () => { }, static _ => { }, Time);
        await using var body = await OpenAsync(Request(IndexName), IndexName, expectedLength: null, progress, cancellationToken);
        var lines = body.ReadLinesAsync(SparseJson.Default.FileDescription, LongestMetadata, IndexName, cancellationToken);
        await foreach (var line in lines)
        {
            yield return line;
        }
    }

    protected override string? MetadataPathOf(FileKey key) => Path(key) + ".json";

    private static string Path(FileKey key) => key.ToHex();
}
