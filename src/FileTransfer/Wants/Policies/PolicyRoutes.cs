using FileTransfer.Http;
using FileTransfer.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FileTransfer.Wants.Policies;

/// <summary>Which files of a bucket this node wants, and which of them it lacks.</summary>
public static class PolicyRoutes
{
    private const string Ndjson = "application/x-ndjson";

    public static void MapPolicies(this IEndpointRouteBuilder routes)
    {
        var bucket = routes
            .MapGroup("/v1/buckets/{bucket}")
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
            .Produces<MissingFile>(StatusCodes.Status200OK, Ndjson);
    }

    private static async Task<Results<Ok<PolicyResource>, ProblemHttpResult>> GetAsync(
        string bucket,
        NodePolicies policies,
        CancellationToken cancellationToken
    ) =>
        TryParseBucket(bucket, out var id, out var malformed)
            ? TypedResults.Ok(PolicyResource.Of(await policies.GetAsync(id, cancellationToken)))
            : malformed!;

    /// <param name="bucket"></param>
    /// <param name="prune" example="false">Whether stored contents that the policy does not want leave this node, too; never the last copy in the cluster.</param>
    private static async Task<Results<Ok<PolicyChangeResource>, ProblemHttpResult>> SetAsync(
        string bucket,
        bool? prune,
        PolicyDefinition definition,
        PolicyChanges changes,
        CancellationToken cancellationToken
    )
    {
        if (!TryParseBucket(bucket, out var id, out var malformed))
        {
            return malformed!;
        }

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

        return await ChangeAsync(id, policy, prune ?? false, changes, cancellationToken);
    }

    private static async Task<Results<Ok<PolicyChangeResource>, ProblemHttpResult>> DeleteAsync(
        string bucket,
        PolicyChanges changes,
        CancellationToken cancellationToken
    ) =>
        TryParseBucket(bucket, out var id, out var malformed)
            ? await ChangeAsync(id, Policy.Everything, prunes: false, changes, cancellationToken)
            : malformed!;

    private static async Task<Results<Ok<PolicyChangeResource>, ProblemHttpResult>> ChangeAsync(
        ByteString bucket,
        Policy policy,
        bool prunes,
        PolicyChanges changes,
        CancellationToken cancellationToken
    )
    {
        var (written, effect) = await changes.SetAsync(bucket, policy, prunes, cancellationToken);
        return TypedResults.Ok(PolicyChangeResource.Of(PolicyResource.Of(written), effect));
    }

    private static async Task<IResult> MissingAsync(string bucket, MissingFiles missing, HttpContext context)
    {
        if (!TryParseBucket(bucket, out var id, out var malformed))
        {
            return malformed!;
        }

        var lines = missing.PagesOf(id, context.RequestAborted).GetAsyncEnumerator(context.RequestAborted);
        await using (lines)
        {
            // A database that is away is told as a problem as long as nothing was sent.
            var more = await lines.MoveNextAsync();
            context.Response.ContentType = Ndjson;
            for (; more; more = await lines.MoveNextAsync())
            {
                await context.Response.Body.WriteAsync(lines.Current, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }

        return Results.Empty;
    }

    private static bool TryParseBucket(string text, out ByteString bucket, out ProblemHttpResult? problem)
    {
        var isBucket = ByteString.TryParseHex(text, out bucket) && bucket.Length is > 0 and <= FileMetadata.MaxIdLength;
        problem = isBucket
            ? null
            : Problem.Of(
                ProblemTypes.BadRequest,
                $"'{(text.Length > 100 ? text[..100] + "…" : text)}' is not a bucket; write 1 to {FileMetadata.MaxIdLength} bytes as hex digits, with or without 0x."
            );
        return isBucket;
    }
}
