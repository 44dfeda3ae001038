namespace FileTransfer.Operations;

internal static class EvacuationRoutes
{
    public static void MapEvacuation(this IEndpointRouteBuilder routes)
    {
        var evacuation = routes
            .MapGroup(Routes.Evacuation)
            .WithTags("Cluster")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.NodeUnknown, ProblemTypes.DatabaseUnavailable);
        evacuation
            .MapGet("", FindAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary(
                "Whether a node is being emptied, and of how many of its files too few copies are elsewhere; 0: it may go"
            );
        evacuation
            .MapPost("", StartAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Empties a node: others get copies of what only it has, and do not ask it for what another has too")
            .WithDescription(
                "Its contents stay on its disk. When `files` is 0, stop it and take it out with DELETE /v1/nodes/{node}."
            );
        evacuation
            .MapDelete("", EndAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Keeps the node after all: it is asked as others are");
    }

    /// <param name="node" example="node-c">The node's name.</param>
    private static Task<Results<Ok<EvacuationResource>, ProblemHttpResult>> FindAsync(
        string node,
        NodeEvacuation evacuation,
        CancellationToken cancellationToken
    ) => AnswerAsync(node, id => evacuation.FindAsync(id, cancellationToken));

    /// <param name="node" example="node-c">The node's name.</param>
    /// <param name="dryRun" example="true">Changes nothing, and says how many files others would get.</param>
    private static Task<Results<Ok<EvacuationResource>, ProblemHttpResult>> StartAsync(
        string node,
        bool? dryRun,
        NodeEvacuation evacuation,
        CancellationToken cancellationToken
    ) => AnswerAsync(node, id => evacuation.StartAsync(id, dryRun != true, cancellationToken));

    /// <param name="node" example="node-c">The node's name.</param>
    private static Task<Results<Ok<EvacuationResource>, ProblemHttpResult>> EndAsync(
        string node,
        NodeEvacuation evacuation,
        CancellationToken cancellationToken
    ) => AnswerAsync(node, id => evacuation.EndAsync(id, cancellationToken));

    private static async Task<Results<Ok<EvacuationResource>, ProblemHttpResult>> AnswerAsync(
        string node,
        Func<NodeId, Task<EvacuationResource?>> find
    ) =>
        NodeId.FromText(node) is not { } id ? NodeRoutes.Malformed()
        : await find(id) is { } found ? TypedResults.Ok(found)
        : NodeRoutes.Unknown(node);
}
