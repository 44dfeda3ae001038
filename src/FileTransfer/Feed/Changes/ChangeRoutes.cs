using FileTransfer.Cluster;

namespace FileTransfer.Feed.Changes;

public static class ChangeRoutes
{
    private const int LongestWait = 60;
    private const int Most = 100;

    public static void MapChanges(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Changes, FindAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Files")
            .WithSummary(
                "What was stored in the cluster and removed from it behind a position that lasts, for programs that keep up with it"
            )
            .WithDescription(
                "The same at every node. Changes of a file come in their order. 410 where the position is older than what is kept: list the files, and go on from `after=now`."
            )
            .AtMembersOnly()
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.FeedCompacted);

    /// <param name="after" example="now">The <c>position</c> of the page before; <c>now</c> for what comes from now on; from the oldest that is kept when left out.</param>
    /// <param name="wait" example="30">For how many seconds the answer waits where nothing has changed, 0 to 60; 0 when left out.</param>
    private static async Task<Results<Ok<ChangesResource>, ProblemHttpResult>> FindAsync(
        string? after,
        int? wait,
        FeedChanges changes,
        IHostApplicationLifetime lifetime,
        CancellationToken cancellationToken
    )
    {
        if (wait is < 0 or > LongestWait)
        {
            return Problem.Of(ProblemTypes.BadRequest, $"wait={wait} is out of range; write 0 to {LongestWait} seconds.");
        }

        var position = after is null or "now" ? null : ChangePosition.Parse(after);
        if (after is not (null or "now") && position is null)
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"after={Problem.Quote(after)} is no position; write that of a page, or now."
            );
        }

        if (after == "now")
        {
            position = await changes.NowAsync(cancellationToken);
        }

        var page = await changes.ReadAsync(
            position,
            Most,
            TimeSpan.FromSeconds(wait ?? 0),
            lifetime.ApplicationStopping,
            cancellationToken
        );
        return page.IsGone
            ? Problem.Of(
                ProblemTypes.FeedCompacted,
                "What follows this position is not kept any more, or the feed has begun another history. List the files (GET /v1/files), and go on from after=now, which is to be asked for first.",
                ("retainedFrom", null)
            )
            : TypedResults.Ok(changes.Describe(page));
    }
}
