namespace FileTransfer.Serving;

/// <summary>What a node has of a content that it downloads, for nodes that download it too.</summary>
public static class PartRoutes
{
    public static void MapParts(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Parts, (FileKey key, PartDelivery delivery, HttpContext context) => delivery.AnswerAsync(context, key))
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Transfer")
            .WithSummary(
                "Which chunks of a file are here or about to come, a line for each change until it is stored or has failed"
            )
            .WithDescription(
                $"The request names the file's generation in {NodeHeader.Generation}. Ranges are [first, last] chunk ids. A node that has the "
                    + "file stored answers with one line."
            )
            .Produces<PartsLine>(StatusCodes.Status200OK, Ndjson.MediaType)
            .ProducesProblems(
                ProblemTypes.BadRequest,
                ProblemTypes.FileUnknown,
                ProblemTypes.FileRemoved,
                ProblemTypes.FileNotStored,
                ProblemTypes.GenerationDiffers,
                ProblemTypes.SourceBusy,
                ProblemTypes.DatabaseUnavailable
            );
}
