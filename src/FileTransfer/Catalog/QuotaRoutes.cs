namespace FileTransfer.Catalog;

/// <summary>How much the files of buckets may be.</summary>
public static class QuotaRoutes
{
    private const int Page = 100;

    public static void MapQuotas(this IEndpointRouteBuilder routes)
    {
        routes
            .MapGet(Routes.Quotas, ListAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Buckets")
            .WithSummary("The quotas of the cluster's buckets, and what the buckets have; 100 a page")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);
        var quota = routes
            .MapGroup(Routes.Quota)
            .WithTags("Buckets")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);
        quota
            .MapGet("", GetAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("The quota of a bucket, and what the bucket has")
            .ProducesProblems(ProblemTypes.QuotaUnknown);
        quota
            .MapPut("", SetAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Says how much the files of the bucket may be, in the whole cluster; reads all of them")
            .WithDescription(
                "What is registered or uploaded beyond it is refused (`quota-exceeded`). What upstreams have and what loads name comes all the same, and counts."
            )
            .ProducesProblems(ProblemTypes.DatabaseLocked);
        quota
            .MapDelete("", RemoveAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Lets the bucket have as much as there is room for")
            .ProducesProblems(ProblemTypes.QuotaUnknown);
    }

    /// <param name="after" example="0x02">The bucket that the page before ended with, its <c>next</c>.</param>
    private static async Task<Results<Ok<QuotaListing>, ProblemHttpResult>> ListAsync(
        string? after,
        BucketQuotas quotas,
        CancellationToken cancellationToken
    )
    {
        var last = default(BucketId);
        if (after is not null && !BucketId.TryParse(after, out last))
        {
            return Problem.Of(ProblemTypes.BadRequest, $"after={Problem.Quote(after)} is no bucket; write the next of a page.");
        }

        // One more than the page holds tells whether another page follows.
        var found = await quotas.PageAsync(last.Value, Page + 1, cancellationToken);
        var page = found.Take(Page).Select(quota => quota.ToResource()).ToList();
        return TypedResults.Ok(new QuotaListing(page, found.Count > Page ? page[^1].Bucket : null));
    }

    private static async Task<Results<Ok<QuotaResource>, ProblemHttpResult>> GetAsync(
        BucketId bucket,
        BucketQuotas quotas,
        CancellationToken cancellationToken
    ) =>
        await quotas.FindAsync(bucket.Value, cancellationToken) is { } quota
            ? TypedResults.Ok(quota.ToResource())
            : Unknown(bucket);

    private static async Task<Results<Ok<QuotaResource>, ProblemHttpResult>> SetAsync(
        BucketId bucket,
        QuotaRequest request,
        BucketQuotas quotas,
        CancellationToken cancellationToken
    )
    {
        if (request is { Bytes: null, Files: null } or { Bytes: < 0 } or { Files: < 0 })
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                "A quota bounds bytes, files or both; write one of them at least, as a number from 0."
            );
        }

        return TypedResults.Ok(
            (await quotas.SetAsync(bucket.Value, request.Bytes, request.Files, cancellationToken)).ToResource()
        );
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        BucketId bucket,
        BucketQuotas quotas,
        CancellationToken cancellationToken
    ) => await quotas.RemoveAsync(bucket.Value, cancellationToken) ? TypedResults.NoContent() : Unknown(bucket);

    private static ProblemHttpResult Unknown(BucketId bucket) =>
        Problem.Of(
            ProblemTypes.QuotaUnknown,
            $"The bucket {bucket} has no quota: its files may be as much as there is room for.",
            ("bucket", bucket.ToString())
        );
}
