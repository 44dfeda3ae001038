namespace FileTransfer.Hosting.Access;

/// <summary>Tells a caller who it is to this node.</summary>
internal static class CallerRoute
{
    public static void MapCaller(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Caller, Read)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Tokens")
            .WithSummary("Who the caller is to this node: the name of its token, and what it may do with it");

    private static Ok<CallerResource> Read(HttpContext context)
    {
        return TypedResults.Ok(
            new CallerResource(
                context.User.Identity?.Name ?? AccessScopes.Anonymous,
                TokenTable.NodeOf(context.User),
                Claimed(AccessScopes.Claim),
                Claimed(TokenRights.BucketClaim),
                Claimed(TokenRights.OwnerClaim)
            )
        );

        string[] Claimed(string type) => [.. context.User.FindAll(type).Select(claim => claim.Value)];
    }
}
