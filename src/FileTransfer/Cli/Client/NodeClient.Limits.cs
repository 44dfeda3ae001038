using FileTransfer.Bandwidth;

namespace FileTransfer.Cli.Client;

/// <content>What a node's transfers may use.</content>
public sealed partial class NodeClient
{
    private const string LimitsPath = "v1/limits";

    public Task<LimitsResource> GetLimitsAsync(CancellationToken cancellationToken) =>
        GetAsync(LimitsPath, LimitJson.Default.LimitsResource, cancellationToken);

    public async Task<LimitsResource> SetLimitsAsync(LimitSet limits, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Put, LimitsPath);
        request.Content = JsonContent.Create(limits, LimitJson.Default.LimitSet);
        return await ReadAsync(request, LimitJson.Default.LimitsResource, cancellationToken);
    }

    public async Task<LimitsResource> DeleteLimitsAsync(CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, LimitsPath);
        return await ReadAsync(request, LimitJson.Default.LimitsResource, cancellationToken);
    }
}
