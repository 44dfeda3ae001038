using FileTransfer.Cluster;
using FileTransfer.Cluster.Peers;
using FileTransfer.Hosting.Configuration;

namespace FileTransfer.Hosting.Health;

/// <summary>How every node of the cluster is, at one place: a page in a browser may ask the node that it came from, and no other.</summary>
internal static class ClusterHealthRoute
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    public static void MapClusterHealth(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.ClusterHealth, FindAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Cluster")
            .WithSummary("How the nodes of the cluster are: this node asks each of them, for two seconds at most")
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);

    private static async Task<Ok<ClusterHealthResource>> FindAsync(
        NodeDirectory directory,
        NodeHealth own,
        PeerClient peers,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        async Task<NodeHealthResource> AskAsync(NodeRecord node)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(_patience);
            try
            {
                var health =
                    node.Node == here
                        ? await own.AskAsync(ReadyWhen.Reads, cancellationToken)
                        : await AskOtherAsync(peers, node, patience.Token);
                return new NodeHealthResource(node.Node.Value, health, Fault: null);
            }
            catch (Exception e)
                when (e is HttpRequestException or JsonException or OperationCanceledException
                    && !cancellationToken.IsCancellationRequested
                )
            {
                var fault = e is OperationCanceledException ? $"no answer within {_patience.TotalSeconds:0} s" : e.Message;
                return new NodeHealthResource(node.Node.Value, Health: null, $"{node.Url}: {fault}");
            }
        }

        var nodes = await directory.AllAsync(cancellationToken);
        return TypedResults.Ok(new ClusterHealthResource(here.Value, await Task.WhenAll(nodes.Select(AskAsync))));
    }

    private static async Task<HealthAnswer?> AskOtherAsync(PeerClient peers, NodeRecord node, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node.Url, $"{Routes.Health}/ready"));
        using var response = await peers.SendAsync(request, cancellationToken);
        return await response.Content.ReadFromJsonAsync(WireJson.Default.HealthAnswer, cancellationToken);
    }
}
