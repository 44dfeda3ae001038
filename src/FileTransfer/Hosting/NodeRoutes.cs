using System.Text.Json.Serialization;
using FileTransfer.Catalog;
using FileTransfer.Cluster;
using FileTransfer.Feed;
using FileTransfer.Http;
using FileTransfer.Identity;

namespace FileTransfer.Hosting;

/// <summary>A node as an operator sees it.</summary>
/// <param name="Role">What it is now: <c>leader</c>, <c>follower</c> or <c>standalone</c>.</param>
/// <param name="ConfiguredRole"><c>auto</c>, <c>follower</c> or <c>standalone</c>.</param>
/// <param name="Alive">It was heard of within the last 10 seconds.</param>
/// <param name="Stored">Replicas in this state; the same for the next four. Where counting takes its time, as it was up to a minute ago.</param>
/// <param name="Lag">Mutations of the feed that it has not brought into its queue yet.</param>
internal sealed record NodeResource(
    string Node,
    string Role,
    string ConfiguredRole,
    Uri Url,
    DateTimeOffset StartedAt,
    DateTimeOffset SeenAt,
    bool Alive,
    long Stored,
    long Wanted,
    long Downloading,
    long Failed,
    long Removing,
    long Lag
);

/// <summary>The cluster as an operator sees it.</summary>
/// <param name="Leader">The node that leads now; null while none does.</param>
internal sealed record ClusterResource(string Cluster, string? Leader, IReadOnlyList<NodeResource> Nodes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ClusterResource))]
internal sealed partial class ClusterViewJson : JsonSerializerContext;

internal static class NodeRoutes
{
    public static void MapNodes(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/nodes", NodesAsync)
            .RequireAuthorization(Access.Read)
            .WithTags("Cluster")
            .WithSummary("The nodes of the cluster: role, address, replicas by state, lag")
            .Produces<ClusterResource>()
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);

    private static async Task<IResult> NodesAsync(
        NodeDirectory directory,
        Leadership leadership,
        ReplicaTallies replicas,
        FeedLag feed,
        ThisNode here,
        CancellationToken cancellationToken
    )
    {
        var leader = await leadership.FindLeaderAsync(cancellationToken);
        var counts = (await replicas.CountAsync(cancellationToken)).ToLookup(count => count.Node);
        var lag = await feed.OfNodesAsync(cancellationToken);
        var nodes = (await directory.AllAsync(cancellationToken))
            .Select(node =>
            {
                long Of(ReplicaState state) => counts[node.Node].Where(count => count.State == state).Sum(count => count.Count);
                return new NodeResource(
                    node.Node.Value,
                    RoleOf(node, leader?.Node),
                    node.ConfiguredRole,
                    node.Url,
                    node.StartedAt,
                    node.SeenAt,
                    node.IsAlive,
                    Of(ReplicaState.Stored),
                    Of(ReplicaState.Wanted),
                    Of(ReplicaState.Downloading),
                    Of(ReplicaState.Failed),
                    Of(ReplicaState.Removing),
                    lag.GetValueOrDefault(node.Node)
                );
            })
            .ToList();
        return TypedResults.Json(
            new ClusterResource(here.ClusterId, leader?.Node.Value, nodes),
            ClusterViewJson.Default.ClusterResource
        );
    }

    private static string RoleOf(NodeRecord node, NodeId? leader) =>
        node.ConfiguredRole == "standalone" ? "standalone"
        : node.Node == leader ? "leader"
        : "follower";
}
