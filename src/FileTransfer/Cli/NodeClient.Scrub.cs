using FileTransfer.Catalog.Repair;

namespace FileTransfer.Cli;

/// <content>The proving of all that a node has.</content>
public sealed partial class NodeClient
{
    private const string ScrubPath = "v1/scrub";

    public Task<ScrubResource> GetScrubAsync(CancellationToken cancellationToken) =>
        GetAsync(ScrubPath, CliJson.Default.ScrubResource, cancellationToken);

    public async Task<ScrubResource> StartScrubAsync(CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Post, ScrubPath);
        return await ReadAsync(request, CliJson.Default.ScrubResource, cancellationToken);
    }

    public async Task<ScrubResource> CancelScrubAsync(CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, ScrubPath);
        return await ReadAsync(request, CliJson.Default.ScrubResource, cancellationToken);
    }
}
