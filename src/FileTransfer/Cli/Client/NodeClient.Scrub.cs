using FileTransfer.Contracts;

namespace FileTransfer.Cli.Client;

/// <content>The proving of all that a node has.</content>
public sealed partial class NodeClient
{
    private const string ScrubPath = "v1/scrub";

    public Task<ScrubResource> GetScrubAsync(CancellationToken cancellationToken) =>
        GetAsync(ScrubPath, SparseJson.Default.ScrubResource, cancellationToken);

    /// <param name="what">Null: everything.</param>
    public async Task<ScrubResource> StartScrubAsync(ScrubRequest? what, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Post, ScrubPath);
        request.Content = what is null ? null : JsonContent.Create(what, SparseJson.Default.ScrubRequest);
        return await ReadAsync(request, SparseJson.Default.ScrubResource, cancellationToken);
    }

    public async Task<ScrubResource> CancelScrubAsync(CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, ScrubPath);
        return await ReadAsync(request, SparseJson.Default.ScrubResource, cancellationToken);
    }
}
