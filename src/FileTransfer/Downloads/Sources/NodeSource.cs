using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using System.Text.Json;
using System.Text.Json.Serialization;
using FileTransfer.Catalog.Providers;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Contracts;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;
using FileTransfer.Serving;

namespace FileTransfer.Downloads.Sources;

/// <summary>
/// Another node: <c>GET /v1/files/{key}/hashes</c> and <c>GET /v1/files/{key}/content</c> in ranges, and small contents together by
/// <c>POST /v1/sync/deliveries</c>.
/// </summary>
public sealed class NodeSource : Source
{
    private readonly NodeId _here;
    private readonly BatchFetcher _deliveries;

    public NodeSource(ContentProvider holding, NodeId here, HttpMessageInvoker http, SourceClientOptions terms)
        : base(IdOf(holding.Node), $"node '{holding.Node}'", holding.Url, http, terms)
    {
        Holding = holding;
        _here = here;
        _deliveries = new BatchFetcher(this, terms.Time);
    }

    public ContentProvider Holding { get; }

    protected override string Refusal => "refuses this node's token; set FileTransfer:NodeToken to one it knows, with scope node";

    public static SourceId IdOf(NodeId node) => new($"node {node}");

    public override Task<ProvenBytes> FetchBytesAsync(
        FileKey key,
        Fingerprint fingerprint,
        int size,
        FetchProgress report,
        CancellationToken cancellationToken
    ) => _deliveries.FetchAsync(key, fingerprint, size, report, cancellationToken);

    /// <summary>Asks for small contents; the body has them in this order.</summary>
    internal Task<SourceBody> OpenDeliveryAsync(
        IEnumerable<FileKey> keys,
        FetchProgress report,
        CancellationToken cancellationToken
    )
    {
        var order = new BatchRequest([.. keys.Select(key => key.ToHex())]);
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(order, WireJson.Default.BatchRequest));
        content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json);
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Url, ContentBatch.Route)) { Content = content };
        return OpenAsync(OfNode(request), "a delivery", expectedLength: null, report, cancellationToken);
    }

    /// <summary>Tells the node that its copy of a file seems damaged, so that it proves it.</summary>
    /// <returns>Why it did not take that; null where it did, and where it is too old to know of it.</returns>
    internal async Task<string?> TellDamageAsync(FileKey key, SourceDamage damage, CancellationToken cancellationToken)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(damage, SourceJson.Default.SourceDamage));
        content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Url, $"/v1/files/{key}/damage"))
        {
            Content = content,
        };
        using var response = await SendAsync(OfNode(request), cancellationToken);
        return response.IsSuccessStatusCode || response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed
            ? null
            : $"it answered {(int)response.StatusCode}";
    }

    /// <summary>Not a request of a node: a probe takes nobody's turn.</summary>
    protected override HttpRequestMessage ProbeRequest(FileKey key) => Request($"/download/{key}", (0, ChunkFrame.Length - 1));

    protected override HttpRequestMessage ContentRequest(FileKey key, (long First, long Last)? range = null) =>
        OfNode(Request($"/v1/files/{key}/content", range));

    protected override string HashesPathOf(FileKey key) => $"/v1/files/{key}/hashes";

    /// <summary>A request of a node, which gives large contents by turns.</summary>
    private HttpRequestMessage OfNode(HttpRequestMessage request)
    {
        request.Headers.TryAddWithoutValidation(NodeHeader.Name, _here.Value);
        return request;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(SourceDamage))]
internal sealed partial class SourceJson : JsonSerializerContext;
