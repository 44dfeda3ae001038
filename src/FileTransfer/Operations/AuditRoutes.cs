namespace FileTransfer.Operations;

internal static class AuditRoutes
{
    private const int DefaultPage = 100;
    private const int LargestPage = 1000;

    public static void MapAudit(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Audit, FindAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Cluster")
            .WithSummary("Who changed something at any node of the cluster, or was refused: the newest first, in pages")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);

    /// <param name="before" example="1742">Only entries with lower ids: the <c>next</c> of the page before.</param>
    /// <param name="about" example="0x3f">Only requests for a path that has this text in it: a key, a bucket, a node's name.</param>
    /// <param name="limit" example="100">Entries in a page, 1 to 1000; 100 when left out.</param>
    private static async Task<Results<Ok<AuditResource>, ProblemHttpResult>> FindAsync(
        long? before,
        string? about,
        int? limit,
        AuditLog audit,
        CancellationToken cancellationToken
    )
    {
        var size = limit ?? DefaultPage;
        if (size is < 1 or > LargestPage)
        {
            return Problem.Of(ProblemTypes.BadRequest, $"limit={size} is out of range; write 1 to {LargestPage}.");
        }

        // One more than the page holds tells whether another page follows.
        var found = await audit.ReadAsync(before, about, size + 1, cancellationToken);
        return TypedResults.Ok(new AuditResource([.. found.Take(size)], found.Count > size ? found[size - 1].Id : null));
    }
}
