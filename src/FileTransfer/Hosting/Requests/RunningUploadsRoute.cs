namespace FileTransfer.Hosting.Requests;

internal static class RunningUploadsRoute
{
    public static void MapRunningUploads(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                Routes.Uploads,
                (TransferWatch transfers, NodeId here) => TypedResults.Ok(new UploadsResource(here.Value, transfers.Uploads()))
            )
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Transfer")
            .WithSummary(
                "The uploads that come in at this node now: from whom, how much has come, how long they have been silent"
            );
}
