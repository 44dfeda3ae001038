using System.IO.Pipelines;
using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Contracts;
using FileTransfer.Http;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace FileTransfer.Serving;

/// <summary>The bytes of stored files: framed as storage nodes exchange them, raw, and their chunk hashes.</summary>
public static class ContentRoutes
{
    private static readonly string[] _methods = [HttpMethods.Get, HttpMethods.Head];

    public static void MapContents(this IEndpointRouteBuilder routes)
    {
        DescribeTurns(
            Describe(
                routes.MapMethods("/download/{file_key}", _methods, DownloadAsync),
                "Transfer",
                "The content as frames: u64 LE chunk id ‖ chunk of 1024 bytes, the last may be shorter; Range counts bytes of this body"
            )
        );
        DescribeTurns(
            Describe(
                routes.MapMethods("/v1/files/{key}/content", _methods, ContentAsync),
                "Files",
                "The content as it is; Repr-Digest comes with a small one, and where Want-Repr-Digest asks for sha-256"
            )
        );
        DescribeTurns(
            Describe(
                routes.MapMethods("/v1/files/{key}/hashes", _methods, HashesAsync),
                "Files",
                "The chunk hashes: 32 bytes a chunk; a last value shorter than 33 bytes stands for itself"
            )
        );
    }

    private static void DescribeTurns(RouteHandlerBuilder route) =>
        route
            .ProducesProblems(ProblemTypes.SourceBusy)
            .WithDescription(
                $"A node names itself in {NodeHeader.Name}; it is told to come again while another is being given a content above "
                    + "4 MiB and the uplink has nothing to spare."
            );

    private static RouteHandlerBuilder Describe(RouteHandlerBuilder route, string tag, string summary) =>
        route
            .RequireAuthorization(AccessScopes.Read)
            .WithTags(tag)
            .WithSummary(summary)
            .ServesOctets()
            .ProducesProblems(
                ProblemTypes.FileKeyMalformed,
                ProblemTypes.FileUnknown,
                ProblemTypes.FileRemoved,
                ProblemTypes.FileNotStored,
                ProblemTypes.FileElsewhere,
                ProblemTypes.DatabaseUnavailable
            );

    private static Task<IResult> DownloadAsync(
        string file_key,
        StoredContents contents,
        DamagedContents damaged,
        EgressBandwidth uplink,
        HttpContext context
    ) =>
        WithContentAsync(
            file_key,
            contents,
            damaged,
            context,
            proven: !NodeHeader.ProvesForItself(context),
            async (key, content) =>
            {
                var etag = new EntityTagHeaderValue($"\"{key}\"");
                var length = ChunkFrame.BodyLength(content.Size);
                using var sending = ThrottledResponse.TryBegin(uplink, context, content, etag, length);
                if (sending is null)
                {
                    return NotYourTurn(context, key);
                }

                await ContentResponse.ServeAsync(
                    context,
                    etag,
                    RouteMetadata.Octets,
                    length,
                    (writer, offset, count, token) =>
                    {
                        content.Proof?.Begin(endsAt: offset + count);
                        return sending.WriteAsync(FramedContent.WriteAsync, content, writer, offset, count, token);
                    }
                );
                return Results.Empty;
            }
        );

    private static Task<IResult> ContentAsync(
        string key,
        StoredContents contents,
        ContentDigests digests,
        DamagedContents damaged,
        ContentNames names,
        EgressBandwidth uplink,
        HttpContext context
    ) =>
        WithContentAsync(
            key,
            contents,
            damaged,
            context,
            proven: !NodeHeader.ProvesForItself(context),
            async (fileKey, content) =>
            {
                var etag = new EntityTagHeaderValue($"\"{content.Fingerprint}\"");
                using var sending = ThrottledResponse.TryBegin(uplink, context, content, etag, content.Size);
                if (sending is null)
                {
                    return NotYourTurn(context, fileKey);
                }

                if (content.Proof is not null && digests.For(context.Request, content, context.RequestAborted) is { } digest)
                {
                    context.Response.Headers["Repr-Digest"] = digest;
                }

                await ContentResponse.ServeAsync(
                    context,
                    etag,
                    RouteMetadata.Octets,
                    content.Size,
                    (writer, offset, count, token) =>
                    {
                        content.Proof?.Begin(endsAt: offset + count);
                        return sending.WriteAsync(RawContent.WriteAsync, content, writer, offset, count, token);
                    },
                    await names.ForAsync(context, fileKey)
                );
                return Results.Empty;
            }
        );

    private static Task<IResult> HashesAsync(
        string key,
        StoredContents contents,
        DamagedContents damaged,
        EgressBandwidth uplink,
        HttpContext context
    ) =>
        WithContentAsync(
            key,
            contents,
            damaged,
            context,
            proven: true,
            async (key, content) =>
            {
                var hashes = content.Proof!.Hashes;
                var etag = new EntityTagHeaderValue($"\"{content.Fingerprint}.hashes\"");
                using var sending = ThrottledResponse.TryBegin(uplink, context, content, etag, hashes.EncodedLength);
                if (sending is null)
                {
                    return NotYourTurn(context, key);
                }

                await ContentResponse.ServeAsync(
                    context,
                    etag,
                    RouteMetadata.Octets,
                    hashes.EncodedLength,
                    (writer, offset, count, token) => sending.WriteAsync(WriteHashesAsync, hashes, writer, offset, count, token)
                );
                return Results.Empty;
            }
        );

    private static ProblemHttpResult NotYourTurn(HttpContext context, FileKey key)
    {
        context.Response.Headers.RetryAfter = "1";
        return Problem.Of(
            ProblemTypes.SourceBusy,
            $"Another node is being given the content of {key}; ask another source, or this one again in a second."
        );
    }

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

    private static async Task<IResult> WithContentAsync(
        string key,
        StoredContents contents,
        DamagedContents damaged,
        HttpContext context,
        bool proven,
        Func<FileKey, StoredContent, Task<IResult>> serve
    )
    {
        if (!FileProblems.TryParseKey(key, out var fileKey, out var malformed))
        {
            return malformed;
        }

        var gone = context.RequestAborted;
        for (var isFirst = true; ; isFirst = false)
        {
            var (content, problem) = await contents.OpenAsync(fileKey, proven, gone);
            using (content)
            {
                if (content is null)
                {
                    var elsewhere = context.RequestServices.GetRequiredService<ContentElsewhere>();
                    return await elsewhere.InsteadOfAsync(problem!, fileKey, context);
                }

                try
                {
                    return await serve(fileKey, content);
                }
                catch (ContentDamagedException damage)
                {
                    // An answer that has begun has been cut off; the content is dealt with whether or not its reader waits for it.
                    var examined = damaged.ExamineAsync(
                        damage.Fingerprint,
                        content.Size,
                        $"a reader was sent it, and {damage.Reason}",
                        CancellationToken.None
                    );
                    if (context.Response.HasStarted || !isFirst)
                    {
                        throw;
                    }

                    await examined.WaitAsync(gone);
                    context.Response.Clear();
                }
            }
        }
    }
}
