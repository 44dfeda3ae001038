using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Serving;

/// <summary>The bytes of stored files: framed as storage nodes exchange them, raw, and their chunk hashes.</summary>
public static class ContentRoutes
{
    private static readonly string[] _methods = [HttpMethods.Get, HttpMethods.Head];

    public static void MapContents(this IEndpointRouteBuilder routes)
    {
        Describe(
            routes.MapMethods(Routes.Download, _methods, DownloadAsync),
            "Transfer",
            "The content as frames: u64 LE chunk id ‖ chunk of 1024 bytes, the last may be shorter; Range counts bytes of this body"
        );
        Describe(
            routes.MapMethods(Routes.Content, _methods, ContentAsync),
            "Files",
            "The content as it is; Repr-Digest comes with a small one, and where Want-Repr-Digest asks for sha-256"
        );
        Describe(
            routes.MapMethods(Routes.Hashes, _methods, HashesAsync),
            "Files",
            "The chunk hashes: 32 bytes a chunk; a last value shorter than 33 bytes stands for itself"
        );
    }

    private static void Describe(RouteHandlerBuilder route, string tag, string summary) =>
        route
            .RequireAuthorization(AccessScopes.Read)
            .WithTags(tag)
            .WithSummary(summary)
            .WithDescription(
                $"A node names itself in {NodeHeader.Name}; it is told to come back while another is being sent a content above "
                    + "4 MiB and there is no bandwidth to spare. A content above 4 MiB that is still being downloaded is sent as far as it is "
                    + $"proven, as it comes: to nodes that name the file's generation in {NodeHeader.Generation}, and to everybody else. "
                    + "`Prefer: wait=SECONDS` waits so long for a file that is not here yet."
            )
            .ServesOctets()
            .ProducesProblems(
                ProblemTypes.FileUnknown,
                ProblemTypes.FileRemoved,
                ProblemTypes.FileNotStored,
                ProblemTypes.GenerationDiffers,
                ProblemTypes.FileElsewhere,
                ProblemTypes.SourceBusy,
                ProblemTypes.DatabaseUnavailable
            );

    private static Task<IResult> DownloadAsync(FileKey file_key, ContentDelivery delivery, HttpContext context) =>
        delivery.DeliverAsync(
            context,
            file_key,
            proven: !NodeHeader.ProvesForItself(context),
            content => new ContentForm<OpenContent>(
                new Representation($"\"{file_key}\"", ChunkFrame.BodyLength(content.Size)),
                content,
                FramedContent.WriteAsync,
                ChunkFrame.Length
            )
        );

    private static async Task<IResult> ContentAsync(
        FileKey key,
        ContentDelivery delivery,
        ContentDigests digests,
        ContentNames names,
        HttpContext context
    )
    {
        var name = await names.ForAsync(context, key);
        return await delivery.DeliverAsync(
            context,
            key,
            proven: !NodeHeader.ProvesForItself(context),
            content =>
            {
                if (
                    content is { Proof: not null, Arriving: null }
                    && digests.For(context.Request, content, context.RequestAborted) is { } digest
                )
                {
                    context.Response.Headers["Repr-Digest"] = digest;
                }

                return new ContentForm<OpenContent>(
                    new Representation($"\"{content.Fingerprint}\"", content.Size, name),
                    content,
                    RawContent.WriteAsync,
                    ChunkFrame.ChunkLength
                );
            }
        );
    }

    private static Task<IResult> HashesAsync(FileKey key, ContentDelivery delivery, HttpContext context) =>
        delivery.DeliverAsync(
            context,
            key,
            proven: true,
            content => new ContentForm<ChunkHashes>(
                new Representation($"\"{content.Fingerprint}.hashes\"", content.Proof!.Hashes.EncodedLength),
                content.Proof.Hashes,
                WriteHashesAsync,
                ChunkLength: 0
            )
        );

    private static async ValueTask WriteHashesAsync(
        ChunkHashes hashes,
        PipeWriter writer,
        long offset,
        long count,
        CancellationToken cancellationToken
    )
    {
        const int piece = 64 * 1024;
        for (var end = offset + count; offset < end; )
        {
            var length = (int)Math.Min(piece, end - offset);
            hashes.ReadEncoded(offset, writer.GetSpan(length)[..length]);
            writer.Advance(length);
            await writer.FlushAsync(cancellationToken);
            offset += length;
        }
    }
}
