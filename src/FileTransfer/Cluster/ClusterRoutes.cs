namespace FileTransfer.Cluster;

public static class ClusterRoutes
{
    private static readonly TimeSpan _toHandOver = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(100);

    public static void MapLeader(this IEndpointRouteBuilder routes)
    {
        routes
            .MapGet(Routes.Leader, LeaderAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Cluster")
            .WithSummary("The node that leads now")
            .ProducesProblems(ProblemTypes.NoLeader);
        routes
            .MapPost(Routes.Handover, HandOverAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithTags("Cluster")
            .WithSummary("The leader leaves office to whichever other node takes it first, and says which did")
            .AtTheLeaderOnly()
            .ProducesProblems(ProblemTypes.NoSuccessor, ProblemTypes.DatabaseUnavailable);
    }

    /// <summary>Lets only the leader answer the routes of a group.</summary>
    public static TBuilder AtTheLeaderOnly<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder =>
        routes
            .AddEndpointFilter<TBuilder, LeaderOnly>()
            .ProducesProblems(ProblemTypes.NotLeader, ProblemTypes.NoLeader, ProblemTypes.LeaderUnreachable);

    /// <summary>Lets a node answer the routes of a group only while it has joined its cluster.</summary>
    public static TBuilder AtMembersOnly<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder =>
        routes.AddEndpointFilter<TBuilder, MemberOnly>().ProducesProblems(ProblemTypes.DatabaseUnavailable);

    /// <summary>Why this node does not do what only a leader does.</summary>
    /// <param name="leader">Who leads; null where nobody does.</param>
    internal static ProblemHttpResult NotLeader(NodeId here, LeaderRecord? leader) =>
        Problem.Of(
            ProblemTypes.NotLeader,
            leader is null
                ? $"Node '{here}' does not lead any more, and no other node does yet. Send the request again."
                : $"Node '{here}' does not lead; send the request to the leader '{leader.Node}' at {leader.Url.OriginalString}.",
            ("node", here.Value),
            ("leader", leader?.Node.Value),
            ("leaderUrl", leader?.Url.OriginalString)
        );

    internal static ProblemHttpResult NoLeader(Leadership leadership) =>
        Problem.Of(
            ProblemTypes.NoLeader,
            leadership.Rival is { } rival
                ? $"No node leads here: {rival.Words}. Meanwhile send the request to node '{rival.Sight.Node}'."
                : "No node leads the cluster now; one takes over within seconds. Send the request again."
        );

    private static async Task<Results<Ok<LeaderResource>, ProblemHttpResult>> HandOverAsync(
        Leadership leadership,
        NodeDirectory nodes,
        NodeId here,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if (
            !(await nodes.AllAsync(cancellationToken)).Any(node =>
                node is { IsAlive: true, ConfiguredRole: "auto" } && node.Node != here
            )
        )
        {
            return Problem.Of(
                ProblemTypes.NoSuccessor,
                $"Node '{here}' leads on: no other node that may lead (FileTransfer:Role = Auto) has been heard of lately."
            );
        }

        leadership.HandoverAsked.Set();
        for (var since = time.GetTimestamp(); time.GetElapsedTime(since) < _toHandOver; )
        {
            await Task.Delay(_lookAgain, time, cancellationToken);
            if (await leadership.FindLeaderAsync(cancellationToken) is { } leader && leader.Node != here)
            {
                return Resource(leader);
            }
        }

        return NoLeader(leadership);
    }

    private static Ok<LeaderResource> Resource(LeaderRecord leader) =>
        TypedResults.Ok(new LeaderResource(leader.Node.Value, leader.Url, leader.Epoch, leader.Since));

    private static async Task<Results<Ok<LeaderResource>, ProblemHttpResult>> LeaderAsync(
        Leadership leadership,
        HttpContext context,
        CancellationToken cancellationToken
    )
    {
        if (await leadership.FindLeaderAsync(cancellationToken) is { } leader)
        {
            return Resource(leader);
        }

        context.Response.Headers.RetryAfter = "1";
        return NoLeader(leadership);
    }
}
