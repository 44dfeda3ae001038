using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;

namespace FileTransfer.Downloads.Sources;

/// <summary>
/// A static share: any web server or bucket over HTTP with ranges. <c>{base}/{key}</c> is the content, <c>{base}/{key}.hashes</c> its
/// chunk hashes.
/// </summary>
public sealed class ShareSource(SourceEntry entry, HttpClient http, SourceTerms terms)
    : Source(new SourceId($"share {entry.Name}"), $"share '{entry.Name}'", entry.Base, http, terms)
{
    public override async Task FetchWindowAsync(
        PartialFile into,
        ChunkRange window,
        FetchReport report,
        CancellationToken cancellationToken
    )
    {
        var first = window.First * ChunkFrame.ChunkLength;
        var end = Math.Min(window.End * ChunkFrame.ChunkLength, into.Size);
        await using var body = await OpenAsync(
            Request(Path(into.Key), (first, end - 1)),
            "content",
            end - first,
            report,
            cancellationToken
        );
        await ReadContentAsync(
            body,
            first,
            end - first,
            (firstChunk, bytes) => Put(into, firstChunk, bytes, report),
            cancellationToken
        );
    }

    protected override async Task ReceiveWholeAsync(
        FileKey key,
        long size,
        ChunkSink put,
        FetchReport report,
        CancellationToken cancellationToken
    )
    {
        await using var body = await OpenAsync(Request(Path(key)), "content", size, report, cancellationToken);
        await ReadContentAsync(body, 0, size, put, cancellationToken);
    }

    protected override HttpRequestMessage ProbeRequest(FileKey key) => Request(Path(key), (0, ChunkFrame.ChunkLength - 1));

    protected override string HashesPathOf(FileKey key) => Path(key) + ".hashes";

    private static Task ReadContentAsync(
        SourceBody body,
        long from,
        long length,
        ChunkSink put,
        CancellationToken cancellationToken
    ) =>
        body.ReadBytesAsync(
            length,
            ChunkFrame.ChunkLength,
            "content",
            (offset, bytes) => put((from + offset) / ChunkFrame.ChunkLength, bytes.Span),
            cancellationToken
        );

    private static string Path(FileKey key) => key.ToHex();
}
