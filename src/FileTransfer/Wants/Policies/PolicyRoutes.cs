using FileTransfer.Contracts;
using FileTransfer.Http;

namespace FileTransfer.Wants.Policies;

/// <summary>Which files of a bucket this node wants, and which of them it lacks.</summary>
public static class PolicyRoutes
{
    public static void MapPolicies(this IEndpointRouteBuilder routes)
    {
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
            .WithSummary("Says which files of the bucket this node wants, and answers when that has taken effect")
            .ProducesProblems(ProblemTypes.MediaTypeUnsupported, ProblemTypes.PolicyInvalid);
        bucket
            .MapDelete("/policy", DeleteAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Lets this node want every file of the bucket again, and answers when that has taken effect");
        bucket
            .MapGet("/missing", MissingAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary(
                "The files of the bucket that this node's policy wants and whose content is absent or incomplete here, one a line"
            )
            .Produces<MissingFile>(StatusCodes.Status200OK, Ndjson.MediaType);
    }

    private static async Task<Ok<PolicyResource>> GetAsync(
        BucketId bucket,
        NodePolicies policies,
        CancellationToken cancellationToken
    ) => TypedResults.Ok(PolicyResource.Of(await policies.GetAsync(bucket.Value, cancellationToken)));

    /// <param name="bucket"></param>
    /// <param name="prune" example="false">Whether stored contents that the policy does not want leave this node, too; never the last copy in the cluster.</param>
    private static async Task<Results<Ok<PolicyChangeResource>, ProblemHttpResult>> SetAsync(
        BucketId bucket,
        bool? prune,
        PolicyDefinition definition,
        PolicyChanges changes,
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

        return await ChangeAsync(bucket, policy, prune ?? false, changes, cancellationToken);
    }

    private static Task<Ok<PolicyChangeResource>> DeleteAsync(
        BucketId bucket,
        PolicyChanges changes,
        CancellationToken cancellationToken
    ) => ChangeAsync(bucket, Policy.Everything, prunes: false, changes, cancellationToken);

    private static async Task<Ok<PolicyChangeResource>> ChangeAsync(
        BucketId bucket,
        Policy policy,
        bool prunes,
        PolicyChanges changes,
        CancellationToken cancellationToken
    )
    {
        var (written, effect) = await changes.SetAsync(bucket.Value, policy, prunes, cancellationToken);
        return TypedResults.Ok(PolicyChangeResource.Of(PolicyResource.Of(written), effect));
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
