using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Operations;

internal static class QueueRoute
{
    public static void MapQueue(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Queue, FindAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Cluster")
            .WithSummary("What this node has to do: files by state and by what they wait for, and since when the oldest does")
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);

    private static async Task<Ok<QueueResource>> FindAsync(
        ReplicaTable replicas,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        var parts = await replicas.QueueAsync(here, cancellationToken);
        return TypedResults.Ok(
            new QueueResource(
                here.Value,
                [
                    .. parts
                        .Where(part => part.Count > 0)
                        .Select(part => new QueuePartResource(part.State, part.Count, part.OldestSeconds)),
                ]
            )
        );
    }
}
