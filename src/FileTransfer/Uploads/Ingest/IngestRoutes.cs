using Microsoft.AspNetCore.Mvc;

namespace FileTransfer.Uploads.Ingest;

/// <summary>What became of the files in watched folders.</summary>
public static class IngestRoutes
{
    private const int PageSize = 100;
    private const int LargestPage = 1000;

    public static void MapIngest(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Ingest, StatusAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Files")
            .WithSummary("What watched folders gave: ingested, acknowledged by, missing in a series, not taken and why")
            .WithDescription("Any node answers; what keeps a folder from being taken is known to the node that watches it.")
            .Produces<IngestResource>()
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);

    /// <param name="folder" example="wal">The name of one folder; all when left out.</param>
    /// <param name="after" example="000000010000000000000007.wal.sealed">The last name of the page before.</param>
    /// <param name="limit" example="100">Names of each folder, 1 to 1000; 100 when left out.</param>
    private static async Task<IResult> StatusAsync(
        string? folder,
        string? after,
        int? limit,
        [FromServices] IngestStatus status,
        CancellationToken cancellationToken
    ) =>
        limit is < 1 or > LargestPage
            ? Problem.Of(ProblemTypes.BadRequest, $"limit={limit} is out of range; write 1 to {LargestPage}.")
            : TypedResults.Json(
                await status.ReadAsync(folder, after ?? "", limit ?? PageSize, cancellationToken),
                WireJson.Default.IngestResource
            );
}
