using System.Net.Http.Headers;
using System.Net.Mime;
using FileTransfer.Catalog.Providers;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Downloads.Planning;
using FileTransfer.Feed.Pull;

namespace FileTransfer.Downloads.Sources;

/// <summary>
/// Another node: <c>GET /v1/files/{key}/hashes</c> and <c>GET /v1/files/{key}/content</c> in ranges, and small contents together by
/// <c>POST /v1/sync/deliveries</c>.
/// </summary>
public sealed class NodeSource : Source
{
    /// <summary>Three times as long as one that follows hears nothing where nothing changes.</summary>
    private static readonly TimeSpan _partsSilence = TimeSpan.FromSeconds(15);

    /// <summary>Bytes: room for more runs than a content of terabytes has windows under way.</summary>
    private const int LongestPartsLine = 1024 * 1024;

    private const string PeerPrefix = "peer ";

    private readonly BatchFetcher _batches;

    public NodeSource(ContentProvider provider, HttpMessageInvoker http, SourceClientOptions options)
        : this(IdOf(provider.Node), $"node '{provider.Node}'", provider, http, options) { }

    /// <summary>A node of an upstream.</summary>
    public NodeSource(UpstreamNode node, SourceClientOptions options)
        : this(IdOf(node), $"node '{node.Node}' of upstream '{node.Upstream}'", ProviderOf(node), node.Client, options)
    {
        IsOutside = true;
    }

    /// <summary>A node of another cluster that gossip knows.</summary>
    public NodeSource(LivePeer peer, SourceClientOptions options)
        : this(IdOf(peer), $"peer '{peer.Name}'", ProviderOf(peer), peer.Client, options)
    {
        IsOutside = true;
    }

    private NodeSource(SourceId id, string name, ContentProvider provider, HttpMessageInvoker http, SourceClientOptions options)
        : base(id, name, provider.Url, http, options)
    {
        Provider = provider;
        _batches = new BatchFetcher(this, options.Time);
    }

    public ContentProvider Provider { get; }

    /// <summary>It is a node of another cluster: this one's catalog does not know where it answers.</summary>
    public bool IsOutside { get; }

    protected override string Refusal =>
        "refuses this node's token, or its key; set FileTransfer:NodeToken to one it knows, with scope node";

    public static SourceId IdOf(NodeId node) => new($"node {node}");

    public static ContentProvider ProviderOf(UpstreamNode node) => new(node.Node, IsLeader: false, node.Url, node.Instance);

    public static SourceId IdOf(UpstreamNode node) => new($"upstream {node.Upstream}/{node.Node}");

    public static ContentProvider ProviderOf(LivePeer peer) => new(peer.Name.Node, IsLeader: false, peer.Url, peer.Instance);

    public static SourceId IdOf(LivePeer peer) => IdOf(peer.Name);

    public static SourceId IdOf(PeerName peer) => new($"{PeerPrefix}{peer}");

    /// <summary>The peer that a source is, by its id; null where it is none.</summary>
    public static PeerName? PeerOf(string id) =>
        id.StartsWith(PeerPrefix, StringComparison.Ordinal) ? PeerName.FromText(id[PeerPrefix.Length..]) : null;

    public override Task<ProvenBytes> FetchBytesAsync(
        FileKey key,
        Fingerprint fingerprint,
        int size,
        FetchProgress progress,
        CancellationToken cancellationToken
    ) => _batches.FetchAsync(key, fingerprint, size, progress, cancellationToken);

    /// <summary>Asks for small contents; the body has them in this order.</summary>
    internal Task<SourceBody> OpenBatchAsync(
        IEnumerable<FileKey> keys,
        FetchProgress progress,
        CancellationToken cancellationToken
    )
    {
        var batch = new BatchRequest([.. keys.Select(key => key.ToHex())]);
        var request = Post(Routes.Deliveries, JsonSerializer.SerializeToUtf8Bytes(batch, WireJson.Default.BatchRequest));
        return OpenAsync(request, "a delivery", expectedLength: null, progress, cancellationToken);
    }

    /// <summary>Reports to the node that its copy of a file seems damaged, so that it proves it.</summary>
    /// <returns>Why it did not take that; null where it did, and where it is too old to know of it.</returns>
    internal async Task<string?> ReportDamageAsync(FileKey key, DamageReport damage, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(damage, SparseJson.Default.DamageReport);
        using var response = await SendAsync(Post(Routes.Of(Routes.Damage, key), json), cancellationToken);
        return response.IsSuccessStatusCode || response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed
            ? null
            : $"it answered {(int)response.StatusCode}";
    }

    /// <summary>So little takes nobody's permit. It names this node: a reader would be waited for, and preferred, by a node that downloads the file itself.</summary>
    protected override HttpRequestMessage ProbeRequest(FileKey key) =>
        Request(Routes.Of(Routes.Download, key), (0, ChunkFrame.Length - 1));

    protected override HttpRequestMessage ContentRequest(FileKey key, (long First, long Last)? range = null) =>
        Request(Routes.Of(Routes.Content, key), range);

    protected override string HashesPathOf(FileKey key) => Routes.Of(Routes.Hashes, key);

    protected override string? MetadataPathOf(FileKey key) => Routes.Of(Routes.File, key);

    /// <summary>A node that downloads the file itself sends what it has of this generation, and of no other.</summary>
    protected override HttpRequestMessage ForPartial(PartialFile into, HttpRequestMessage request) =>
        into.Arriving is { } arriving ? OfGeneration(request, arriving.Generation) : request;

    private HttpRequestMessage Post(string path, byte[] json)
    {
        var content = new ByteArrayContent(json);
        content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json);
        return new HttpRequestMessage(HttpMethod.Post, new Uri(Url, path)) { Content = content };
    }

    /// <summary>Asks what the node has of a file that it downloads, and reads the answer until it ends.</summary>
    /// <exception cref="SourceException">It does not download the file, or does not say any more how far it is.</exception>
    internal async Task FollowPartsAsync(FileKey key, int generation, Action<PartsLine> hear, CancellationToken cancellationToken)
    {
        var request = OfGeneration(Request(Routes.Of(Routes.Parts, key)), generation);
        using var silent = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            using var response = await SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                throw NotFound();
            }

            var lines = PipeReader.Create(await response.Content.ReadAsStreamAsync(silent.Token));
            for (var isLast = false; !isLast; )
            {
                silent.CancelAfter(_partsSilence);
                var line = await Ndjson.ReadLineAsync(lines, SparseJson.Default.PartsLine, LongestPartsLine, silent.Token);
                hear(line ?? throw Fault(SourceFaultKind.EndedEarly, "stopped saying what it has of the file"));
                isLast = line.End is not null;
            }
        }
        catch (Exception e)
            when (e is IOException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw Fault(SourceFaultKind.EndedEarly, "stopped saying what it has of the file", e);
        }
    }

    private static HttpRequestMessage OfGeneration(HttpRequestMessage request, int generation)
    {
        request.Headers.TryAddWithoutValidation(NodeHeader.Generation, generation.ToString(CultureInfo.InvariantCulture));
        return request;
    }
}
