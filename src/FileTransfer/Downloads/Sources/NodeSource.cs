using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;

namespace FileTransfer.Downloads.Sources;

/// <summary>Another node: <c>GET /v1/files/{key}/hashes</c> and <c>GET /download/{key}</c>, which is frames.</summary>
public sealed class NodeSource(Holding holding, NodeId here, HttpClient http, SourceTerms terms)
    : Source(IdOf(holding.Node), $"node '{holding.Node}'", holding.Url, http, terms)
{
    public Holding Holding => holding;

    protected override string Refusal => "refuses this node's token; set FileTransfer:NodeToken to one it knows, with scope node";

    public static SourceId IdOf(NodeId node) => new($"node {node}");

    public override async Task FetchWindowAsync(
        PartialFile into,
        ChunkRange window,
        FetchReport report,
        CancellationToken cancellationToken
    )
    {
        var first = window.First * ChunkFrame.Length;
        var end = Math.Min(window.End * ChunkFrame.Length, ChunkFrame.BodyLength(into.Size));
        await using var body = await OpenAsync(
            Download(into.Key, (first, end - 1)),
            "frames",
            end - first,
            report,
            cancellationToken
        );
        await body.ReadFramesAsync(
            into.Size,
            window,
            inOrder: true,
            run => Put(into, run.FirstChunk, run.Bytes.Span, report),
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
        await using var body = await OpenAsync(Download(key), "frames", ChunkFrame.BodyLength(size), report, cancellationToken);
        await body.ReadFramesAsync(
            size,
            new ChunkRange(0, (int)ChunkFrame.ChunkCount(size)),
            inOrder: false,
            run => put(run.FirstChunk, run.Bytes.Span),
            cancellationToken
        );
    }

    /// <summary>Not a request of a node: a probe takes nobody's turn.</summary>
    protected override HttpRequestMessage ProbeRequest(FileKey key) => Request($"/download/{key}", (0, ChunkFrame.Length - 1));

    protected override string HashesPathOf(FileKey key) => $"/v1/files/{key}/hashes";

    private HttpRequestMessage Download(FileKey key, (long First, long Last)? range = null)
    {
        var request = Request($"/download/{key}", range);
        request.Headers.Add(Sending.NodeHeader, here.Value);
        return request;
    }
}
