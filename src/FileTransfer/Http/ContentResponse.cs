using System.IO.Pipelines;
using Microsoft.Net.Http.Headers;

namespace FileTransfer.Http;

/// <summary>Answers GET and HEAD of a representation whose bytes another writes.</summary>
public static class ContentResponse
{
    /// <summary>
    /// Sends the whole, a part or nothing of a representation: 200, 206, 304, 412 or 416 as RFC 9110 says. ETag and Accept-Ranges
    /// are always sent, Content-Length always where there is, or for HEAD would be, content. A 412 or 416 is left without a body:
    /// the server gives it its problem.
    /// </summary>
    /// <param name="context">The request and its answer; headers already set stay.</param>
    /// <param name="etag">The strong name of the representation.</param>
    /// <param name="contentType">Sent with 200 and 206.</param>
    /// <param name="length">Bytes in the whole representation.</param>
    /// <param name="write">
    /// Writes exactly the bytes <c>[offset, offset + count)</c>. When it throws, the connection is aborted: a reader must never
    /// take what is missing for the end. It throws <see cref="OperationCanceledException"/> when the reader went away.
    /// </param>
    /// <param name="name">Sent with 200 and 206; null where none is known.</param>
    public static async Task ServeAsync(
        HttpContext context,
        EntityTagHeaderValue etag,
        string contentType,
        long length,
        Func<PipeWriter, long, long, CancellationToken, ValueTask> write,
        ContentName? name = null
    )
    {
        var (request, response) = (context.Request, context.Response);
        var (status, range) = ConditionalRequest.Evaluate(request.Method, request.Headers, etag, length, name?.Modified);
        response.StatusCode = status;
        response.Headers.ETag = etag.ToString();
        response.Headers.AcceptRanges = "bytes";
        // It never changes, but it can be removed: a cache asks before it uses it.
        response.Headers.CacheControl = "no-cache";
        switch (status)
        {
            case StatusCodes.Status304NotModified:
            case StatusCodes.Status412PreconditionFailed:
                return;
            case StatusCodes.Status416RangeNotSatisfiable:
                response.Headers.ContentRange = ByteRange.UnsatisfiedOf(length);
                return;
            case StatusCodes.Status206PartialContent:
                response.Headers.ContentRange = range.ContentRangeOf(length);
                break;
        }

        response.ContentType = contentType;
        response.ContentLength = range.Count;
        if (name is not null)
        {
            response.Headers.ContentDisposition = name.Disposition;
            response.Headers.LastModified = name.LastModified;
        }

        if (HttpMethods.IsHead(context.Request.Method) || range.Count == 0)
        {
            return;
        }

        await StreamAsync(context, (writer, gone) => write(writer, range.Offset, range.Count, gone));
    }

    /// <summary>Sends the body of an answer whose head is complete, all of it or an aborted connection.</summary>
    /// <param name="context">The request and its answer.</param>
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
