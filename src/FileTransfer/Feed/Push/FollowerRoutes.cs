using FileTransfer.Cluster;

namespace FileTransfer.Feed.Push;

/// <summary>The clusters that this one ships its feed to; its leader knows how that goes.</summary>
public static class FollowerRoutes
{
    public static void MapFollowers(this IEndpointRouteBuilder routes)
    {
        var followers = routes
            .MapGroup(Routes.Followers)
            .AtTheLeaderOnly()
            .WithTags("Shipping")
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);
        followers
            .MapGet("", ListAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("The clusters that this one ships to: how far each is, what it lacks, what went wrong last")
            .Produces<FollowersResource>();
        followers
            .MapPut("/{name}", PutAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Ships the feed to a cluster from now on, or in another way")
            .ProducesProblems(ProblemTypes.BadRequest);
        followers
            .MapDelete("/{name}", RemoveAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Ships nothing more to a cluster; what it has it keeps")
            .ProducesProblems(ProblemTypes.FollowerUnknown);
    }

    private static async Task<IResult> ListAsync(FollowerList followers, ThisNode node, CancellationToken cancellationToken) =>
        TypedResults.Json(
            new FollowersResource(node.ClusterId, await followers.ReadAsync(null, cancellationToken)),
            WireJson.Default.FollowersResource
        );

    /// <param name="name" example="archive">What this cluster calls it: 1 to 64 letters, digits, '.', '_' or '-'.</param>
    private static async Task<Results<Ok<FollowerResource>, Created<FollowerResource>, ProblemHttpResult>> PutAsync(
        string name,
        FollowerRegistration follower,
        FollowerTable table,
        FollowerList followers,
        Shipper shipper,
        CancellationToken cancellationToken
    )
    {
        var buckets = new List<BucketId>();
        foreach (var text in follower.Buckets ?? [])
        {
            if (!BucketId.TryParse(text, out var bucket))
            {
                return Problem.Of(
                    ProblemTypes.BadRequest,
                    $"buckets has '{Problem.Quote(text ?? "")}'; write each bucket in hex."
                );
            }

            buckets.Add(bucket);
        }

        if (FaultOf(name, follower) is { } fault)
        {
            return Problem.Of(ProblemTypes.BadRequest, fault);
        }

        var isNew = await table.PutAsync(
            new FollowerRow(
                name,
                follower.Url!.AbsoluteUri,
                follower.Token,
                string.Join(',', buckets),
                follower.Paused ?? false,
                Cluster: null
            ),
            cancellationToken
        );
        shipper.Reload();
        var resource = (await followers.ReadAsync(name, cancellationToken)).Single();
        return isNew ? TypedResults.Created(Routes.Of(Routes.Follower, name), resource) : TypedResults.Ok(resource);
    }

    /// <param name="name" example="archive">What this cluster calls it.</param>
    private static async Task<Results<Ok<FollowerResource>, ProblemHttpResult>> RemoveAsync(
        string name,
        FollowerTable table,
        FollowerList followers,
        Shipper shipper,
        CancellationToken cancellationToken
    )
    {
        var known = await followers.ReadAsync(name, cancellationToken);
        if (known is not [var removed] || !await table.RemoveAsync(name, cancellationToken))
        {
            return Problem.Of(
                ProblemTypes.FollowerUnknown,
                $"There is no follower '{Problem.Quote(name)}'; see GET {Routes.Followers}."
            );
        }

        shipper.Reload();
        return TypedResults.Ok(removed);
    }

    private static string? FaultOf(string name, FollowerRegistration follower) =>
        NodeId.FromText(name) is null ? $"'{Problem.Quote(name)}' is no name; write 1 to 64 letters, digits, '.', '_' or '-'."
        : follower.Url is not { } url || !WrittenUrl.IsPlain(url)
            ? "The url is missing, is none, or has a name, a password or a query; write an absolute URL such as http://node-x.example:7070, and what is secret as token."
        : follower.Token is { } token && token.Any(c => c is <= ' ' or > '~') ? "The token has characters that no token has."
        : null;
}
