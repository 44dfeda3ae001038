using System.Net.Http.Headers;
using System.Text.Json.Serialization.Metadata;
using FileTransfer.Contracts;
using FileTransfer.Identity;

namespace FileTransfer.Cli.Client;

/// <content>What a node's folder remembers, what the catalog knows, and what is to become of it.</content>
public sealed partial class NodeClient
{
    /// <summary>A line may wait for a large content to be hashed, the first for a catalog of millions of files to be sorted.</summary>
    private static readonly TimeSpan _lineWithin = TimeSpan.FromMinutes(10);

    public Task<NdjsonAnswer<FolderLine>> OpenFolderAsync(bool proves, CancellationToken cancellationToken) =>
        OpenLinesAsync(
            $"v1/reconcile/folder?prove={(proves ? "true" : "false")}",
            SparseJson.Default.FolderLine,
            cancellationToken
        );

    public Task<NdjsonAnswer<CatalogLine>> OpenCatalogAsync(CancellationToken cancellationToken) =>
        OpenLinesAsync("v1/reconcile/catalog", SparseJson.Default.CatalogLine, cancellationToken);

    public async Task<ReconcileResource> ReconcileAsync(
        IReadOnlyList<ReconcileFileResource> files,
        CancellationToken cancellationToken
    )
    {
        using var request = Request(HttpMethod.Post, "v1/reconcile");
        request.Content = JsonContent.Create(new ReconcileRequest(files), SparseJson.Default.ReconcileRequest);
        return await ReadAsync(request, SparseJson.Default.ReconcileResource, cancellationToken, _lineWithin);
    }

    /// <summary>Lets the folder of the node forget a file.</summary>
    public async Task ForgetAsync(FileKey key, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, $"v1/reconcile/folder/{key}");
        using var response = await SendAsync(request, _answerWithin, cancellationToken);
    }

    /// <summary>Lets the node collect again what nothing refers to.</summary>
    public async Task ReleaseCollectionAsync(CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, "v1/orphans/hold");
        using var response = await SendAsync(request, _answerWithin, cancellationToken);
    }

    private async Task<NdjsonAnswer<T>> OpenLinesAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        using var request = Request(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/x-ndjson"));
        var response = await SendAsync(request, _lineWithin, cancellationToken);
        var stall = new IdleTimeout(time, _lineWithin, cancellationToken);
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stall.Token));
        return new NdjsonAnswer<T>(node, response, reader, type, stall, cancellationToken);
    }
}
