using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Operations;

/// <summary>A person says that what failed may go well now.</summary>
public static class RetryRoutes
{
    public static void MapRetry(this IEndpointRouteBuilder routes)
    {
        routes
            .MapPost(Routes.Retry, RetryAsync)
            .RequireAuthorization(AccessScopes.Write)
            .WithTags("Files")
            .WithSummary("Tries a file at this node at once that has failed, or waits; changes nothing where it does neither")
            .ProducesProblems(ProblemTypes.FileUnknown, ProblemTypes.FileRemoved, ProblemTypes.DatabaseUnavailable);
        routes
            .MapPost(Routes.RetryAll, RetryAllAsync)
            .RequireAuthorization(AccessScopes.Write)
            .WithTags("Files")
            .WithSummary("Tries all files at this node at once whose attempts failed, or those that failed for one cause")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);
    }

    private static async Task<Results<Ok<FileResource>, ProblemHttpResult>> RetryAsync(
        FileKey key,
        FileCatalog catalog,
        ReplicaTable replicas,
        ReplicaTransitions transitions,
        QueueSignal queue,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        var file = await catalog.FindAsync(key, cancellationToken);
        if (file is null or { State: FileState.Removed })
        {
            return file is null ? FileProblems.Unknown(key) : FileProblems.Removed(key);
        }

        if (await transitions.RetryAsync(here, key, cancellationToken))
        {
            queue.Set();
        }

        return TypedResults.Ok(FileResource.Of(file, here, await replicas.OfAsync(key, cancellationToken)));
    }

    /// <param name="cause" example="wrong-bytes">
    /// Only files whose last attempt failed for this: wrong-bytes, refused, stalled, ended-early, unreachable, deadline or node-fault.
    /// </param>
    private static async Task<Results<Ok<RetriedResource>, ProblemHttpResult>> RetryAllAsync(
        string? cause,
        ReplicaTransitions transitions,
        QueueSignal queue,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        if (!FailureCauses.TryParse(cause, out var known))
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"'{cause}' is not a cause; write one of {string.Join(", ", FailureCauses.Slugs)}, or none for all.",
                ("cause", cause)
            );
        }

        var retried = await transitions.RetryAllAsync(here, known, cancellationToken);
        if (retried > 0)
        {
            queue.Set();
        }

        return TypedResults.Ok(new RetriedResource(here.Value, cause, retried));
    }
}
