using FileTransfer.Catalog.Replicas;
using FileTransfer.Cluster;
using FileTransfer.Feed;

namespace FileTransfer.Operations;

internal static class NodeRoutes
{
    public static void MapNodes(this IEndpointRouteBuilder routes)
    {
        routes
            .MapDelete(Routes.Node, RemoveAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithTags("Cluster")
            .WithSummary("Takes a dead node out of the cluster, with its replicas, positions, policies, limits and intents")
            .Produces<NodeRemovalResource>()
            .ProducesProblems(
                ProblemTypes.BadRequest,
                ProblemTypes.NodeUnknown,
                ProblemTypes.NodeAlive,
                ProblemTypes.CommitUnconfirmed,
                ProblemTypes.DatabaseUnavailable
            );
        routes
            .MapGet(Routes.Nodes, NodesAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Cluster")
            .WithSummary("The nodes of the cluster: role, address, replicas by state, lag")
            .Produces<ClusterResource>()
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);
    }

    /// <param name="node" example="node-c">The node's name.</param>
    private static async Task<IResult> RemoveAsync(string node, NodeRemoval removal, CancellationToken cancellationToken)
    {
        if (NodeId.FromText(node) is not { } id)
        {
            return Malformed();
        }

        var (outcome, removed) = await removal.RemoveAsync(id, cancellationToken);
        return outcome switch
        {
            NodeRemovalOutcome.Removed => TypedResults.Json(removed!, WireJson.Default.NodeRemovalResource),
            NodeRemovalOutcome.Alive => Problem.Of(
                ProblemTypes.NodeAlive,
                $"Node '{node}' is alive: its process holds its lock in the database. Stop it, then send the request again.",
                ("node", node)
            ),
            _ => Unknown(node),
        };
    }

    internal static ProblemHttpResult Malformed() =>
        Problem.Of(ProblemTypes.BadRequest, "That is not a node name; write 1 to 64 of A-Z a-z 0-9 . _ -");

    internal static ProblemHttpResult Unknown(string node) =>
        Problem.Of(
            ProblemTypes.NodeUnknown,
            $"No node of the cluster is called '{node}'; GET /v1/nodes has their names.",
            ("node", node)
        );

    private static async Task<IResult> NodesAsync(
        NodeDirectory directory,
        Leadership leadership,
        ReplicaTable replicas,
        FeedLag feed,
        ThisNode here,
        CancellationToken cancellationToken
    )
    {
        var leader = await leadership.FindLeaderAsync(cancellationToken);
        var tally = await replicas.CountAsync(cancellationToken);
        var counts = tally.Counts.ToLookup(count => count.Node);
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
                    lag.GetValueOrDefault(node.Node),
                    tally.AreEstimated,
                    Of(ReplicaState.Paused),
                    node.Fault,
                    node.PublicKeys
                );
            })
            .ToList();
        return TypedResults.Json(
            new ClusterResource(here.ClusterId, leader?.Node.Value, nodes),
            WireJson.Default.ClusterResource
        );
    }

    private static string RoleOf(NodeRecord node, NodeId? leader) =>
        node.ConfiguredRole == "standalone" ? "standalone"
        : node.Node == leader ? "leader"
        : "follower";
}
