using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads;

/// <summary>What comes first at this node.</summary>
public static class PriorityRoutes
{
    private const int Most = ReplicaTransitions.HighestPriority;

    public static void MapPriorities(this IEndpointRouteBuilder routes)
    {
        routes
            .MapPut(Routes.FilePriority, SetOfFileAsync)
            .RequireAuthorization(AccessScopes.Write)
            .WithTags("Files")
            .WithSummary("Puts a file before or behind others at this node, in the queue and among the downloads under way")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);
        routes
            .MapPut(Routes.BucketPriority, SetOfBucketAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithTags("Buckets")
            .WithSummary("Puts the files of a bucket before or behind others at this node, also those that are added later")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);
    }

    private static Task<Results<Ok<PriorityResource>, ProblemHttpResult>> SetOfFileAsync(
        FileKey key,
        PriorityRequest request,
        DownloadPriorities priorities,
        NodeId here,
        CancellationToken cancellationToken
    ) => SetAsync(null, key, request, changes: true, priorities, here, cancellationToken);

    /// <param name="bucket"></param>
    /// <param name="dryRun" example="true">Changes nothing, and says how many files it would be.</param>
    private static Task<Results<Ok<PriorityResource>, ProblemHttpResult>> SetOfBucketAsync(
        BucketId bucket,
        bool? dryRun,
        PriorityRequest request,
        DownloadPriorities priorities,
        NodeId here,
        CancellationToken cancellationToken
    ) => SetAsync(bucket.Value, null, request, dryRun != true, priorities, here, cancellationToken);

    private static async Task<Results<Ok<PriorityResource>, ProblemHttpResult>> SetAsync(
        ByteString? bucket,
        FileKey? file,
        PriorityRequest request,
        bool changes,
        DownloadPriorities priorities,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        if (request.Priority is not (>= -Most and <= Most and var priority))
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"priority={request.Priority} is no priority; write a number from -{Most} to {Most}."
            );
        }

        var (files, downloads) = await priorities.SetAsync(bucket, file, priority, changes, cancellationToken);
        return TypedResults.Ok(
            new PriorityResource(here.Value, bucket?.ToString(), file?.ToString(), priority, !changes, files, downloads)
        );
    }
}
