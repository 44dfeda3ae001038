using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;

namespace FileTransfer.Downloads.Sources;

/// <summary>
/// Another node: <c>GET /v1/files/{key}/hashes</c> and <c>GET /v1/files/{key}/content</c> in ranges, or all of a content without hashes as
/// <c>GET /download/{key}</c>, which is frames.
/// </summary>
public sealed class NodeSource(Holding holding, NodeId here, HttpMessageInvoker http, SourceTerms terms)
    : Source(IdOf(holding.Node), $"node '{holding.Node}'", holding.Url, http, terms)
{
    public Holding Holding => holding;

    protected override string Refusal => "refuses this node's token; set FileTransfer:NodeToken to one it knows, with scope node";

    public static SourceId IdOf(NodeId node) => new($"node {node}");

    protected override async Task ReceiveWholeAsync(
        FileKey key,
        long size,
        ChunkSink put,
        FetchReport report,
        CancellationToken cancellationToken
    )
    {
        await using var body = await OpenAsync(
            OfNode(Request($"/download/{key}")),
            "frames",
            ChunkFrame.BodyLength(size),
            report,
            cancellationToken
        );
        await body.ReadFramesAsync(size, run => put(run.FirstChunk, run.Bytes.Span), cancellationToken);
    }

    /// <summary>Not a request of a node: a probe takes nobody's turn.</summary>
    protected override HttpRequestMessage ProbeRequest(FileKey key) => Request($"/download/{key}", (0, ChunkFrame.Length - 1));

    protected override HttpRequestMessage ContentRequest(FileKey key, (long First, long Last)? range = null) =>
        OfNode(Request($"/v1/files/{key}/content", range));

    protected override string HashesPathOf(FileKey key) => $"/v1/files/{key}/hashes";

    /// <summary>A request that has to wait for its turn.</summary>
    private HttpRequestMessage OfNode(HttpRequestMessage request)
    {
        request.Headers.TryAddWithoutValidation(Sending.NodeHeader, here.Value);
        return request;
    }
}
