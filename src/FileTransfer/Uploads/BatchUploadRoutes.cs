using FileTransfer.Cluster;
using Microsoft.Net.Http.Headers;

namespace FileTransfer.Uploads;

/// <summary>Takes many files in one request.</summary>
public static class BatchUploadRoutes
{
    public static void MapBatchUploads(this IEndpointRouteBuilder routes) =>
        routes
            .MapPost(Routes.Batch, ReceiveAsync)
            .RequireAuthorization(AccessScopes.Write)
            .AtTheLeaderOnly()
            .TakesOctets(
                "Of each file: u32 LE length ‖ metadata as JSON, of up to 64 KiB ‖ u64 LE size ‖ bytes. The metadata is the body of "
                    + "PUT /v1/files/{key}, with the key where it is known; fingerprint and key may be left out.",
                FileBatch.MediaType
            )
            .WithTags("Files")
            .WithSummary("Many files in one stream of any length, each answered by a line once it is durable")
            .WithDescription(
                "The lines come in the order of the files, while the stream is still sent: who sends more than some hundred files reads as it "
                    + "writes. A file that is refused spoils no other. What the node itself fails of is said in the last line, for the first "
                    + "file that was not stored; those behind it were not, either."
            )
            .Produces<BatchLine>(StatusCodes.Status200OK, Ndjson.MediaType)
            .ProducesProblems(
                ProblemTypes.RequestTimeout,
                ProblemTypes.DiskFull,
                ProblemTypes.CommitUnconfirmed,
                ProblemTypes.DatabaseUnavailable
            );

    private static async Task<IResult> ReceiveAsync(BatchUpload upload, Leadership leadership, NodeId here, HttpContext context)
    {
        if (
            !MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            || !type.MediaType.Equals(FileBatch.MediaType, StringComparison.OrdinalIgnoreCase)
        )
        {
            return Problem.Of(
                ProblemTypes.MediaTypeUnsupported,
                $"A batch is sent as 'Content-Type: {FileBatch.MediaType}'; a single content is put with POST /v1/files."
            );
        }

        var answer = new BatchAnswer(context);
        context.Features.Set(new FinalLine(answer.EndAsync));
        try
        {
            await upload.ReceiveAsync(context.Request.BodyReader, answer, context.RequestAborted);
        }
        catch (NotLeadingException) when (answer.HasBegun)
        {
            var leader = await leadership.FindLeaderAsync(context.RequestAborted);
            await answer.EndAsync(ClusterRoutes.NotLeader(here, leader?.Node == here ? null : leader).ProblemDetails);
        }

        return Results.Empty;
    }
}
