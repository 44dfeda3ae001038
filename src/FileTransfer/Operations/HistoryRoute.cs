namespace FileTransfer.Operations;

internal static class HistoryRoute
{
    private const int DefaultHours = 24;

    public static void MapHistory(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.History, FindAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Cluster")
            .WithSummary("What each node was like in the last hours: how far behind, what it lacked, what was free on its disk")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);

    /// <param name="hours" example="24">How far back, 1 to 720; 24 when left out. A minute a point up to four hours, 240 points beyond.</param>
    private static async Task<Results<Ok<HistoryResource>, ProblemHttpResult>> FindAsync(
        int? hours,
        NodeHistory history,
        CancellationToken cancellationToken
    ) =>
        hours is < 1 or > NodeHistory.MostDays * 24
            ? Problem.Of(ProblemTypes.BadRequest, $"hours={hours} is out of range; write 1 to {NodeHistory.MostDays * 24}.")
            : TypedResults.Ok(await history.ReadAsync(hours ?? DefaultHours, cancellationToken));
}
