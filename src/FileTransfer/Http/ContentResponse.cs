namespace FileTransfer.Http;

/// <summary>Answers GET and HEAD of a representation whose bytes another writes.</summary>
public static class ContentResponse
{
    /// <summary>
    /// Sends the whole, a part or nothing of a representation: 200, 206, 304, 412 or 416 as RFC 9110 says. ETag and Accept-Ranges
    /// are always sent, Content-Length always where there is, or for HEAD would be, content. A 412 or 416 is left without a body:
    /// the server gives it its problem.
    /// </summary>
    /// <param name="answer">What the request's conditions come to: <see cref="Representation.AnswerTo"/>.</param>
    /// <param name="write">
    /// Writes exactly the bytes <c>[offset, offset + count)</c>. When it throws, the connection is aborted: a reader must never
    /// take what is missing for the end. It throws <see cref="OperationCanceledException"/> when the reader went away.
    /// </param>
    public static async Task ServeAsync(
        HttpContext context,
        Representation representation,
        ConditionalAnswer answer,
        Func<PipeWriter, long, long, CancellationToken, ValueTask> write
    )
    {
        var response = context.Response;
        var (status, range) = answer;
        response.StatusCode = status;
        response.Headers.ETag = representation.ETag.ToString();
        response.Headers.AcceptRanges = "bytes";
        // It never changes, but it can be removed: a cache asks before it uses it.
        response.Headers.CacheControl = "no-cache";
        switch (status)
        {
            case StatusCodes.Status304NotModified:
            case StatusCodes.Status412PreconditionFailed:
                return;
            case StatusCodes.Status416RangeNotSatisfiable:
                response.Headers.ContentRange = ByteRange.UnsatisfiedOf(representation.Length);
                return;
            case StatusCodes.Status206PartialContent:
                response.Headers.ContentRange = range.ContentRangeOf(representation.Length);
                break;
        }

        response.ContentType = RouteMetadata.Octets;
        response.ContentLength = range.Count;
        if (representation.Name is { } name)
        {
            response.Headers.ContentDisposition = name.Disposition;
            response.Headers.LastModified = name.LastModified;
        }

        if (HttpMethods.IsGet(context.Request.Method) && range.Count > 0)
        {
            await StreamAsync(context, (writer, gone) => write(writer, range.Offset, range.Count, gone));
        }
    }

    /// <summary>Sends the body of an answer whose head is complete, all of it or an aborted connection.</summary>
    /// <param name="write">As with <see cref="ServeAsync"/>.</param>
    public static async Task StreamAsync(HttpContext context, Func<PipeWriter, CancellationToken, ValueTask> write)
    {
        var gone = context.RequestAborted;
        try
        {
            // Once started, the body's memory is the connection's own, and a fault can only end in an abort.
            await context.Response.StartAsync(gone);
            await write(context.Response.BodyWriter, gone);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
        catch
        {
            context.Abort();
            throw;
        }
    }
}
