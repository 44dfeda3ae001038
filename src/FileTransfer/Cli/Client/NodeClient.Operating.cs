using FileTransfer.Contracts;

namespace FileTransfer.Cli.Client;

/// <summary>Which files a listing shows; null where that does not matter.</summary>
/// <param name="Location">What the location begins with.</param>
/// <param name="State">The state of the replica at the node that is asked.</param>
public sealed record ListFilter(ByteString? Bucket, ByteString? Owner, string? Location, string? State);

/// <content>What an operator asks: files, nodes, health, limits, the scrub, orphans, retries.</content>
public sealed partial class NodeClient
{
    private const int FilesPerPage = 1000;

    public Task<FileResource> GetFileAsync(FileKey key, CancellationToken cancellationToken) =>
        GetAsync(Routes.Of(Routes.File, key), SparseJson.Default.FileResource, cancellationToken);

    public Task RemoveAsync(FileKey key, CancellationToken cancellationToken) =>
        TellAsync(HttpMethod.Delete, Routes.Of(Routes.File, key), cancellationToken);

    /// <summary>A page of the files of the cluster, in the order of their keys.</summary>
    public Task<FileListing> ListAsync(ListFilter filter, string? after, CancellationToken cancellationToken)
    {
        var query = $"limit={FilesPerPage}";
        query += filter.State is { } state ? $"&state={state}" : "";
        query += filter.Bucket is { } bucket ? $"&bucket={bucket}" : "";
        query += filter.Owner is { } owner ? $"&owner={owner}" : "";
        query += filter.Location is { Length: > 0 } location ? $"&location={Uri.EscapeDataString(location)}" : "";
        query += after is null ? "" : $"&after={after}";
        return GetAsync($"{Routes.Files}?{query}", SparseJson.Default.FileListing, cancellationToken);
    }

    /// <returns>The state of the file at the node.</returns>
    public async Task<string> RetryAsync(FileKey key, CancellationToken cancellationToken) =>
        (await AskAsync(HttpMethod.Post, Routes.Of(Routes.Retry, key), SparseJson.Default.FileResource, cancellationToken)).State;

    /// <summary>Retries those that failed for a cause, or all.</summary>
    public Task<RetriedResource> RetryAllAsync(string? cause, CancellationToken cancellationToken) =>
        AskAsync(
            HttpMethod.Post,
            cause is null ? Routes.RetryAll : $"{Routes.RetryAll}?cause={cause}",
            SparseJson.Default.RetriedResource,
            cancellationToken
        );

    public Task<ClusterResource> GetNodesAsync(CancellationToken cancellationToken) =>
        GetAsync(Routes.Nodes, SparseJson.Default.ClusterResource, cancellationToken);

    /// <summary>Takes a dead node out of the cluster.</summary>
    public Task<NodeRemovalResource> RemoveNodeAsync(string name, CancellationToken cancellationToken) =>
        AskAsync(
            HttpMethod.Delete,
            Routes.Of(Routes.Node, name),
            SparseJson.Default.NodeRemovalResource,
            cancellationToken,
            within: _longWithin
        );

    /// <summary>The leader, or null while there is none.</summary>
    public async Task<LeaderResource?> FindLeaderAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await GetAsync(Routes.Leader, SparseJson.Default.LeaderResource, cancellationToken);
        }
        catch (NodeProblemException problem) when (problem.Status == HttpStatusCode.ServiceUnavailable)
        {
            return null;
        }
    }

    /// <summary>The health route's status code and what it says; a node that is not ready answers 503.</summary>
    public Task<(HttpStatusCode Status, HealthAnswer? Health)> GetHealthAsync(
        string route,
        TimeSpan within,
        CancellationToken cancellationToken
    ) =>
        TranslateFaultsAsync(
            async () =>
            {
                using var request = Request(HttpMethod.Get, route);
                using var stall = new IdleTimeout(time, within, cancellationToken);
                using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, stall.Token);
                var body = await response.Content.ReadAsByteArrayAsync(stall.Token);
                return (response.StatusCode, TryRead(body, SparseJson.Default.HealthAnswer));
            },
            cancellationToken
        );

    public Task<LimitsResource> GetLimitsAsync(CancellationToken cancellationToken) =>
        GetAsync(Routes.Limits, WireJson.Default.LimitsResource, cancellationToken);

    public Task<LimitsResource> SetLimitsAsync(LimitSet limits, CancellationToken cancellationToken) =>
        AskAsync(
            HttpMethod.Put,
            Routes.Limits,
            WireJson.Default.LimitsResource,
            cancellationToken,
            JsonContent.Create(limits, WireJson.Default.LimitSet)
        );

    public Task<LimitsResource> DeleteLimitsAsync(CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Delete, Routes.Limits, WireJson.Default.LimitsResource, cancellationToken);

    public Task<OrphansResource> GetOrphansAsync(CancellationToken cancellationToken) =>
        GetAsync(Routes.Orphans, WireJson.Default.OrphansResource, cancellationToken);

    public Task<OrphansDiscarded> DiscardOrphansAsync(CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Delete, Routes.Orphans, WireJson.Default.OrphansDiscarded, cancellationToken);

    public Task<ScrubResource> GetScrubAsync(CancellationToken cancellationToken) =>
        GetAsync(Routes.Scrub, SparseJson.Default.ScrubResource, cancellationToken);

    /// <param name="what">Null: everything.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public Task<ScrubResource> StartScrubAsync(ScrubRequest? what, CancellationToken cancellationToken) =>
        AskAsync(
            HttpMethod.Post,
            Routes.Scrub,
            SparseJson.Default.ScrubResource,
            cancellationToken,
            what is null ? null : JsonContent.Create(what, SparseJson.Default.ScrubRequest)
        );

    public Task<ScrubResource> CancelScrubAsync(CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Delete, Routes.Scrub, SparseJson.Default.ScrubResource, cancellationToken);
}
