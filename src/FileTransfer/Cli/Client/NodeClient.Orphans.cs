using FileTransfer.Contracts;

namespace FileTransfer.Cli.Client;

/// <content>Contents that no file of a node refers to.</content>
public sealed partial class NodeClient
{
    private const string OrphansPath = "v1/orphans";

    public Task<OrphansResource> GetOrphansAsync(CancellationToken cancellationToken) =>
        GetAsync(OrphansPath, WireJson.Default.OrphansResource, cancellationToken);

    public async Task<OrphansDiscarded> DiscardOrphansAsync(CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, OrphansPath);
        return await ReadAsync(request, WireJson.Default.OrphansDiscarded, cancellationToken);
    }
}
