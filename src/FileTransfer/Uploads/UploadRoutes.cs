using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cluster;

namespace FileTransfer.Uploads;

/// <summary>Takes contents: framed under a registered key, or raw with the identity computed here.</summary>
public static class UploadRoutes
{
    public static void MapUploads(this IEndpointRouteBuilder routes)
    {
        routes
            .MapPost(Routes.Upload, UploadAsync)
            .RequireAuthorization(AccessScopes.Write)
            .AtTheLeaderOnly()
            .TakesOctets(
                "Frames back to back: u64 LE chunk id ‖ chunk of 1024 bytes; only the final one of the body may be shorter."
            )
            .WithTags("Transfer")
            .WithSummary("The content of a registered file as frames in any order")
            .Produces(StatusCodes.Status200OK)
            .ProducesProblems(
                ProblemTypes.FileUnknown,
                ProblemTypes.FileRemoved,
                ProblemTypes.RequestTimeout,
                ProblemTypes.UploadInvalid,
                ProblemTypes.FingerprintMismatch,
                ProblemTypes.DiskFull,
                ProblemTypes.CommitUnconfirmed,
                ProblemTypes.DatabaseUnavailable
            );
        routes
            .MapPost(Routes.Files, PutContentAsync)
            .RequireAuthorization(AccessScopes.Write)
            .AtTheLeaderOnly()
            .TakesOctets("The content as it is.")
            .WithTags("Files")
            .WithSummary("Any content as the raw body; fingerprint and key are computed here")
            .ProducesProblems(
                ProblemTypes.BadRequest,
                ProblemTypes.RequestTimeout,
                ProblemTypes.MetadataInvalid,
                ProblemTypes.FileRemoved,
                ProblemTypes.QuotaExceeded,
                ProblemTypes.DiskFull,
                ProblemTypes.CommitUnconfirmed,
                ProblemTypes.DatabaseUnavailable
            );
    }

    private static async Task<IResult> UploadAsync(
        FileKey file_key,
        FileCatalog catalog,
        UploadPublisher publisher,
        FramedUpload upload,
        Database database,
        DiskPressure disk,
        NodeId here,
        HttpContext context
    )
    {
        var gone = context.RequestAborted;
        if (await catalog.FindAsync(file_key, here, gone) is not var (file, stateHere))
        {
            return FileProblems.Unknown(file_key);
        }

        if (file.State == FileState.Removed)
        {
            return FileProblems.Removed(file_key);
        }

        // A stored or held content is answered without its body; a client that waits for 100 Continue never sends it. It is proven before:
        // the bytes that come are right, and those that are here may not be.
        if (file.IsOwn && stateHere == ReplicaState.Stored && await publisher.IsIntactAsync(file, gone))
        {
            // What stored it may not have been confirmed.
            await database.Commits.ConfirmAsync(gone);
            return TypedResults.Ok();
        }

        if (await publisher.TryPublishHeldAsync(file, gone) is { } held)
        {
            return Answer(file, UploadOutcome.Of(held));
        }

        return disk.RefusalOf(file.Size) is { } refusal
            ? NoRoom(refusal)
            : Answer(file, await upload.ReceiveAsync(file, context.Request.BodyReader, TransferMeter.Of(context), gone));
    }

    /// <param name="owner" example="0x01">The owner's id, hex.</param>
    /// <param name="bucket" example="0x02">The bucket's id, hex.</param>
    /// <param name="location" example="photos/cat.jpg">The location as text; or give it as locationHex.</param>
    /// <param name="locationHex">The location in hex, where it is not UTF-8.</param>
    private static async Task<Results<Created<FileResource>, Ok<FileResource>, ProblemHttpResult>> PutContentAsync(
        string owner,
        string bucket,
        string? location,
        string? locationHex,
        RawUpload upload,
        FileCatalog catalog,
        ReplicaTable replicas,
        DiskPressure disk,
        QuotaReserves reserves,
        NodeId here,
        HttpContext context
    )
    {
        var gone = context.RequestAborted;

        // Size and fingerprint are the content's, and stand for it here until it has come.
        var registration = new FileRegistration(owner, bucket, location, locationHex, Size: 1, default(Fingerprint).ToString());
        var (described, fault) = registration.Read();
        if (described is null)
        {
            return Problem.Of(fault!.Type, fault.Detail);
        }

        if (disk.RefusalOf(context.Request.ContentLength ?? 0) is { } refusal)
        {
            return NoRoom(refusal);
        }

        if (await FormBody.IsFormAsync(context.Request, gone))
        {
            return Problem.Of(
                ProblemTypes.MediaTypeUnsupported,
                "The body is a form (application/x-www-form-urlencoded), which is not the content itself; send the bytes alone as "
                    + "'Content-Type: application/octet-stream'."
            );
        }

        var (place, full) = await reserves.ReserveAsync(described, context.Request.ContentLength, gone);
        using var reserved = place;
        if (full is not null)
        {
            return full.Refusal();
        }

        var received = await upload.ReceiveAsync(described, context.Request.BodyReader, gone);
        if (received.Fault is { } invalid)
        {
            return Problem.Of(ProblemTypes.MetadataInvalid, invalid);
        }

        var file = received.File!;
        var resource = FileResource.Of(file, here, await replicas.OfAsync(file.Key, gone));
        return received.IsNew ? TypedResults.Created(Routes.Of(Routes.File, file.Key), resource) : TypedResults.Ok(resource);
    }

    private static IResult Answer(FileRecord file, UploadOutcome outcome) =>
        outcome switch
        {
            UploadOutcome.Stored => TypedResults.Ok(),
            UploadOutcome.Invalid invalid => Problem.Of(
                ProblemTypes.UploadInvalid,
                invalid.Reason,
                ("key", file.Key.ToString()),
                ("chunk", invalid.Chunk)
            ),
            UploadOutcome.OtherContent => Problem.Of(
                ProblemTypes.FingerprintMismatch,
                $"The chunks do not add up to the content {file.Fingerprint}. None were kept; send the file's own content.",
                ("key", file.Key.ToString()),
                ("fingerprint", file.Fingerprint.ToString())
            ),
            _ => FileProblems.Removed(file.Key),
        };

    internal static ProblemHttpResult NoRoom(string refusal) =>
        Problem.Of(ProblemTypes.DiskFull, $"There is no room for this content: {refusal}. Make room, then send it again.");
}
