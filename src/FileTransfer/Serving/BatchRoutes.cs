using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Chunks;

namespace FileTransfer.Serving;

/// <summary>The bytes of many small files for the price of one request.</summary>
public static class BatchRoutes
{
    private const int PieceLength = 64 * 1024;
    private const int FlushedFrom = 4 * PieceLength;

    public static void MapBatches(this IEndpointRouteBuilder routes) =>
        routes
            .MapPost(Routes.Deliveries, AnswerAsync)
            .RequireAuthorization(AccessScopes.Node)
            .WithTags("Transfer")
            .WithSummary("Small contents together: i64 LE size ‖ bytes of each, in the order of the keys")
            .WithDescription(
                "A size of -1, and no bytes, where a file is not stored here or its content is above 4 MiB: GET that one to be told why."
            )
            .WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(Stream), [RouteMetadata.Octets]))
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.FileKeyMalformed, ProblemTypes.DatabaseUnavailable);

    private static async Task<IResult> AnswerAsync(
        BatchRequest order,
        StoredContents stored,
        DamagedContents damaged,
        EgressBandwidth egress,
        HttpContext context
    )
    {
        if (order.Want is not { Count: > 0 and <= ContentBatch.MostFiles } want)
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"want names {order.Want?.Count ?? 0} files; name 1 to {ContentBatch.MostFiles} in a request."
            );
        }

        var gone = context.RequestAborted;
        var proven = !NodeHeader.ProvesForItself(context);
        var keys = new List<FileKey>(want.Count);
        foreach (var text in want)
        {
            if (!FileKey.TryParse(text, out var key))
            {
                return FileProblems.Malformed(text ?? "");
            }

            keys.Add(key);
        }

        List<OpenContent?> contents = [.. stored.OpenSmall(keys, proven)];
        try
        {
            for (var i = 0; i < keys.Count; i++)
            {
                contents[i] ??= await OpenAsync(stored, keys[i], proven, gone);
            }

            context.Response.ContentType = RouteMetadata.Octets;
            context.Response.ContentLength = contents.Sum(content => ContentBatch.HeaderLength + (content?.Size ?? 0));
            await ContentResponse.StreamAsync(
                context,
                async (writer, token) =>
                {
                    using var sending = ThrottledResponse.Begin(egress, context);
                    var flushedFrom = egress.Gate.IsLimited ? 1 : FlushedFrom;
                    foreach (var content in contents)
                    {
                        await DeliverAsync(content, flushedFrom, sending, writer, token);
                    }

                    (await writer.FlushAsync(token)).ThrowIfGone(token);
                }
            );
            return Results.Empty;
        }
        catch (ContentDamagedException damage)
        {
            _ = damaged.ExamineAsync(
                damage.Fingerprint,
                size: null,
                $"a reader was sent it, and {damage.Reason}",
                CancellationToken.None
            );
            throw;
        }
        finally
        {
            contents.ForEach(content => content?.Dispose());
        }
    }

    private static async ValueTask<OpenContent?> OpenAsync(
        StoredContents stored,
        FileKey key,
        bool proven,
        CancellationToken cancellationToken
    )
    {
        var (content, _) = await stored.OpenAsync(key, proven, cancellationToken);
        if (content?.Size <= ContentBatch.LargestContent)
        {
            return content;
        }

        content?.Dispose();
        return null;
    }

    /// <summary>Writes one content as it has its place in a delivery; null = it does not come.</summary>
    internal static async ValueTask DeliverAsync(
        OpenContent? content,
        int flushedFrom,
        ThrottledResponse sending,
        PipeWriter output,
        CancellationToken cancellationToken
    )
    {
        BinaryPrimitives.WriteInt64LittleEndian(
            output.GetSpan(ContentBatch.HeaderLength),
            content?.Size ?? ContentBatch.NotDelivered
        );
        output.Advance(ContentBatch.HeaderLength);
        if (content is not null)
        {
            await sending.WriteAsync(WriteAsync, (content, flushedFrom), output, 0, content.Size, cancellationToken);
        }
    }

    /// <summary>Contents go out together, as soon as so many bytes have gathered.</summary>
    private static async ValueTask WriteAsync(
        (OpenContent Content, int FlushedFrom) from,
        PipeWriter output,
        long offset,
        long count,
        CancellationToken cancellationToken
    )
    {
        while (count > 0)
        {
            var length = (int)Math.Min(PieceLength, count);
            from.Content.Read(offset, output.GetSpan(length)[..length]);
            output.Advance(length);
            offset += length;
            count -= length;
            if (output.UnflushedBytes >= from.FlushedFrom)
            {
                (await output.FlushAsync(cancellationToken)).ThrowIfGone(cancellationToken);
            }
        }
    }
}
