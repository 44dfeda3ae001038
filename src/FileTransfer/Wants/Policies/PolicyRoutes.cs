namespace FileTransfer.Wants.Policies;

/// <summary>Which files of a bucket this node wants, and which of them it lacks.</summary>
public static class PolicyRoutes
{
    private const int LongestWait = 60;
    private const int Page = 100;
    private static readonly TimeSpan _wait = TimeSpan.FromMilliseconds(500);

    public static void MapPolicies(this IEndpointRouteBuilder routes)
    {
        routes
            .MapGet(Routes.Buckets, ListAsync)
            .WithTags("Buckets")
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("The buckets that have files, or a policy at this node, with what this node wants of each; 100 a page")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);
        var bucket = routes
            .MapGroup(Routes.Bucket)
            .WithTags("Buckets")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);
        bucket
            .MapGet("/policy", GetAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("Which files of the bucket this node wants; everything where nothing was said");
        bucket
            .MapPut("/policy", SetAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Says which files of the bucket this node wants; 202 while that is still being applied")
            .ProducesProblems(ProblemTypes.PolicyInvalid);
        bucket
            .MapDelete("/policy", DeleteAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Lets this node want every file of the bucket again; 202 while that is still being applied");
        bucket
            .MapGet("/missing", MissingAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary(
                "The files of the bucket that this node's policy wants and whose content is absent or incomplete here, one a line"
            )
            .Produces<MissingFile>(StatusCodes.Status200OK, Ndjson.MediaType);
    }

    /// <param name="after" example="0x02">The bucket that the page before ended with, its <c>next</c>.</param>
    private static async Task<Results<Ok<BucketListing>, ProblemHttpResult>> ListAsync(
        string? after,
        PolicyChanges changes,
        CancellationToken cancellationToken
    )
    {
        var last = default(BucketId);
        if (after is not null && !BucketId.TryParse(after, out last))
        {
            return Problem.Of(ProblemTypes.BadRequest, $"after={Problem.Quote(after)} is no bucket; write the next of a page.");
        }

        // One more than the page holds tells whether another page follows.
        var (found, goesOn) = await changes.PageAsync(last.Value, Page + 1, cancellationToken);
        var page = found.Take(Page).Select(one => PolicyResource.Of(one.Policy, one.Effect)).ToList();
        return TypedResults.Ok(new BucketListing(page, goesOn ? page[^1].Bucket : null));
    }

    private static async Task<Ok<PolicyResource>> GetAsync(
        BucketId bucket,
        PolicyChanges changes,
        CancellationToken cancellationToken
    )
    {
        var (policy, effect) = await changes.GetAsync(bucket.Value, cancellationToken);
        return TypedResults.Ok(PolicyResource.Of(policy, effect));
    }

    /// <param name="bucket"></param>
    /// <param name="prune" example="false">Whether stored contents that the policy does not want leave this node, too; never the last copy in the cluster.</param>
    /// <param name="wait" example="10">For how many seconds the answer waits for the policy to be applied, 0 to 60; half a second when left out.</param>
    private static async Task<Results<Ok<PolicyResource>, Accepted<PolicyResource>, ProblemHttpResult>> SetAsync(
        BucketId bucket,
        bool? prune,
        int? wait,
        PolicyDefinition definition,
        PolicyChanges changes,
        NodePolicies policies,
        IOptions<CallerLimits> limits,
        HttpResponse response,
        CancellationToken cancellationToken
    )
    {
        if (definition is not { Kind: { } kind, Filters: { } filters })
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                definition.Kind is null
                    ? $"The kind is missing; write {string.Join(" or ", Policy.KindNames)}."
                    : "The filters are missing; write [] for none."
            );
        }

        if (!Policy.TryParse(kind, [.. filters.Select(filter => filter ?? "")], out var policy, out var fault))
        {
            return Problem.Of(ProblemTypes.PolicyInvalid, fault);
        }

        if (!policy.IsEverything && await policies.AreAsManyAsync(limits.Value.Policies, bucket.Value, cancellationToken))
        {
            return CallerLimits.Refusal(
                response,
                nameof(CallerLimits.Policies),
                "This node has as many policies as it may; delete some, or keep buckets apart by nodes."
            );
        }

        return await ChangeAsync(bucket, policy, prune ?? false, wait, changes, cancellationToken);
    }

    /// <param name="bucket"></param>
    /// <param name="wait" example="10">For how many seconds the answer waits for that to be applied, 0 to 60; half a second when left out.</param>
    private static Task<Results<Ok<PolicyResource>, Accepted<PolicyResource>, ProblemHttpResult>> DeleteAsync(
        BucketId bucket,
        int? wait,
        PolicyChanges changes,
        CancellationToken cancellationToken
    ) => ChangeAsync(bucket, Policy.Everything, prunes: false, wait, changes, cancellationToken);

    private static async Task<Results<Ok<PolicyResource>, Accepted<PolicyResource>, ProblemHttpResult>> ChangeAsync(
        BucketId bucket,
        Policy policy,
        bool prunes,
        int? wait,
        PolicyChanges changes,
        CancellationToken cancellationToken
    )
    {
        if (wait is < 0 or > LongestWait)
        {
            return Problem.Of(ProblemTypes.BadRequest, $"wait={wait} is out of range; write 0 to {LongestWait}.");
        }

        var patience = wait is { } seconds ? TimeSpan.FromSeconds(seconds) : _wait;
        var (written, effect) = await changes.SetAsync(bucket.Value, policy, prunes, patience, cancellationToken);
        var resource = PolicyResource.Of(written, effect);
        return written.IsReviewDue ? TypedResults.Accepted((string?)null, resource) : TypedResults.Ok(resource);
    }

    private static async Task<IResult> MissingAsync(BucketId bucket, MissingFiles missing, HttpContext context)
    {
        var lines = missing.PagesOf(bucket.Value, context.RequestAborted).GetAsyncEnumerator(context.RequestAborted);
        await using (lines)
        {
            // A database that is away is told as a problem as long as nothing was sent. The first page looked at begins the answer, whatever it holds.
            var more = await lines.MoveNextAsync();
            context.Response.ContentType = Ndjson.MediaType;
            for (; more; more = await lines.MoveNextAsync())
            {
                await context.Response.Body.WriteAsync(lines.Current, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }

        return Results.Empty;
    }
}
