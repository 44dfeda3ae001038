using System.Net.Http.Headers;
using System.Text.Json.Serialization.Metadata;
using FileTransfer.Contracts;
using FileTransfer.Http;

namespace FileTransfer.Cli.Client;

/// <content>What a node's folder remembers, what the catalog knows, and what is to become of it.</content>
public sealed partial class NodeClient
{
    /// <summary>
    /// What goes over a million files is answered when it is done. A line may wait for a large content to be hashed, the first for all of
    /// them to be sorted.
    /// </summary>
    private static readonly TimeSpan _longWithin = TimeSpan.FromMinutes(10);

    public Task<NdjsonAnswer<FolderLine>> OpenFolderAsync(bool proves, CancellationToken cancellationToken) =>
        OpenLinesAsync(
            $"{Routes.Reconcile}/folder?prove={(proves ? "true" : "false")}",
            SparseJson.Default.FolderLine,
            cancellationToken
        );

    public Task<NdjsonAnswer<CatalogLine>> OpenCatalogAsync(CancellationToken cancellationToken) =>
        OpenLinesAsync($"{Routes.Reconcile}/catalog", SparseJson.Default.CatalogLine, cancellationToken);

    public Task<ReconcileResource> ReconcileAsync(
        IReadOnlyList<ReconcileFileResource> files,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            HttpMethod.Post,
            Routes.Reconcile,
            SparseJson.Default.ReconcileResource,
            cancellationToken,
            JsonContent.Create(new ReconcileRequest(files), SparseJson.Default.ReconcileRequest),
            _longWithin
        );

    /// <summary>Lets the folder of the node forget a file.</summary>
    public Task ForgetAsync(FileKey key, CancellationToken cancellationToken) =>
        TellAsync(HttpMethod.Delete, $"{Routes.Reconcile}/folder/{key}", cancellationToken);

    /// <summary>Lets the node collect again what nothing refers to.</summary>
    public Task ReleaseCollectionAsync(CancellationToken cancellationToken) =>
        TellAsync(HttpMethod.Delete, $"{Routes.Orphans}/hold", cancellationToken);

    private async Task<NdjsonAnswer<T>> OpenLinesAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var request = Request(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(Ndjson.MediaType));
        var response = await SendAsync(request, cancellationToken, _longWithin);
        return await ReadLinesAsync(response, type, _longWithin, cancellationToken);
    }

    private async Task<NdjsonAnswer<T>> ReadLinesAsync<T>(
        HttpResponseMessage response,
        JsonTypeInfo<T> type,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
        where T : class
    {
        var stall = new IdleTimeout(time, patience, cancellationToken);
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stall.Token));
        return new NdjsonAnswer<T>(node, response, reader, type, stall, cancellationToken);
    }
}
