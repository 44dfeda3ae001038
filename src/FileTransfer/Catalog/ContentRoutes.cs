using FileTransfer.Chunks;
using FileTransfer.Http;
using FileTransfer.Identity;

namespace FileTransfer.Catalog;

/// <summary>The bytes of stored files: framed as storage nodes exchange them, raw, and their chunk hashes.</summary>
public static class ContentRoutes
{
    private static readonly string[] _methods = [HttpMethods.Get, HttpMethods.Head];

    public static void MapContents(this IEndpointRouteBuilder routes)
    {
        Describe(
            routes.MapMethods("/download/{file_key}", _methods, DownloadAsync),
            "Transfer",
            "The content as frames: u64 LE chunk id ‖ chunk of 1024 bytes, the last may be shorter; Range counts bytes of this body"
        );
        Describe(
            routes.MapMethods("/v1/files/{key}/content", _methods, ContentAsync),
            "Files",
            "The content as it is; Repr-Digest comes with a small one, and where Want-Repr-Digest asks for sha-256"
        );
        Describe(
            routes.MapMethods("/v1/files/{key}/hashes", _methods, HashesAsync),
            "Files",
            "The chunk hashes: 32 bytes a chunk; a last value shorter than 33 bytes stands for itself"
        );
    }

    private static void Describe(RouteHandlerBuilder route, string tag, string summary) =>
        route
            .RequireAuthorization(Access.Read)
            .WithTags(tag)
            .WithSummary(summary)
            .ServesOctets()
            .ProducesProblems(
                ProblemTypes.FileKeyMalformed,
                ProblemTypes.FileUnknown,
                ProblemTypes.FileRemoved,
                ProblemTypes.FileNotStored,
                ProblemTypes.DatabaseUnavailable
            );

    private static Task<IResult> DownloadAsync(string file_key, StoredContents contents, HttpContext context) =>
        WithContentAsync(
            file_key,
            contents,
            context,
            (key, content) =>
                ContentResponse.ServeAsync(
                    context,
                    new EntityTag(key.ToString()),
                    RouteMetadata.Octets,
                    ChunkFrame.BodyLength(content.Size),
                    (writer, offset, count, token) => FramedContent.WriteAsync(content, writer, offset, count, token)
                )
        );

    private static Task<IResult> ContentAsync(string key, StoredContents contents, ContentDigests digests, HttpContext context) =>
        WithContentAsync(
            key,
            contents,
            context,
            async (_, content) =>
            {
                if (await digests.ForAsync(context.Request, content, context.RequestAborted) is { } digest)
                {
                    context.Response.Headers["Repr-Digest"] = digest;
                }

                await ContentResponse.ServeAsync(
                    context,
                    new EntityTag(content.Fingerprint.ToString()),
                    RouteMetadata.Octets,
                    content.Size,
                    (writer, offset, count, token) => RawContent.WriteAsync(content, writer, offset, count, token)
                );
            }
        );

    private static Task<IResult> HashesAsync(string key, StoredContents contents, ChunkStore store, HttpContext context) =>
        WithContentAsync(
            key,
            contents,
            context,
            async (_, content) =>
            {
                using var hashes = store.OpenHashes(content);
                await ContentResponse.ServeAsync(
                    context,
                    new EntityTag(content.Fingerprint + ".hashes"),
                    RouteMetadata.Octets,
                    hashes.EncodedLength,
                    async (writer, offset, count, token) =>
                    {
                        const int piece = 64 * 1024;
                        for (var end = offset + count; offset < end; )
                        {
                            var length = (int)Math.Min(piece, end - offset);
                            hashes.ReadEncoded(offset, writer.GetSpan(length)[..length]);
                            writer.Advance(length);
                            await writer.FlushAsync(token);
                            offset += length;
                        }
                    }
                );
            }
        );

    private static async Task<IResult> WithContentAsync(
        string key,
        StoredContents contents,
        HttpContext context,
        Func<FileKey, StoredContent, Task> serve
    )
    {
        if (!FileProblems.TryParseKey(key, out var fileKey, out var malformed))
        {
            return malformed;
        }

        var (content, problem) = await contents.OpenAsync(fileKey, context.RequestAborted);
        using (content)
        {
            if (content is null)
            {
                return problem!;
            }

            await serve(fileKey, content);
            return Results.Empty;
        }
    }
}
