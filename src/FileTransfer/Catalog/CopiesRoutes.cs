namespace FileTransfer.Catalog;

/// <summary>How many copies of a bucket's files there are, and are kept at least.</summary>
public static class CopiesRoutes
{
    private const int Most = 1000;

    public static void MapCopies(this IEndpointRouteBuilder routes)
    {
        var bucket = routes
            .MapGroup(Routes.Bucket)
            .WithTags("Buckets")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);
        bucket
            .MapGet("/health", HealthAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary(
                "How many copies of the bucket's files there are in the cluster, and of which there are too few; reads all of them"
            );
        bucket
            .MapPut("/copies", SetAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary(
                "Says how many copies of each file of the bucket are kept at least: no pruning and no evacuation leaves fewer"
            )
            .WithDescription(
                "A floor for what is dropped, for the whole cluster; all nodes still hold what their policies want."
            );
        bucket
            .MapDelete("/copies", DeleteAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Forgets how many copies of the bucket's files are kept: the last one alone is, in any case");
    }

    private static async Task<Ok<BucketHealthResource>> HealthAsync(
        BucketId bucket,
        BucketCopies copies,
        CancellationToken cancellationToken
    ) => TypedResults.Ok(await copies.HealthAsync(bucket, cancellationToken));

    private static async Task<Results<Ok<BucketHealthResource>, ProblemHttpResult>> SetAsync(
        BucketId bucket,
        CopiesRequest request,
        BucketCopies copies,
        CancellationToken cancellationToken
    )
    {
        if (request.Copies is not (>= 1 and <= Most))
        {
            return Problem.Of(ProblemTypes.BadRequest, $"copies={request.Copies} is out of range; write 1 to {Most}.");
        }

        await copies.SetAsync(bucket.Value, request.Copies, cancellationToken);
        return TypedResults.Ok(await copies.HealthAsync(bucket, cancellationToken));
    }

    private static async Task<Ok<BucketHealthResource>> DeleteAsync(
        BucketId bucket,
        BucketCopies copies,
        CancellationToken cancellationToken
    )
    {
        await copies.SetAsync(bucket.Value, null, cancellationToken);
        return TypedResults.Ok(await copies.HealthAsync(bucket, cancellationToken));
    }
}
