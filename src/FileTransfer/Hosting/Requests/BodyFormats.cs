using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace FileTransfer.Hosting.Requests;

/// <summary>Refuses wrapped bodies (forms, encodings, ranges), which would be stored with their wrapping, and unknown charsets of JSON.</summary>
internal sealed class BodyFormats(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (
            context.GetEndpoint() is { } endpoint
            && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true
            && FaultOf(context.Request, endpoint.Metadata) is { } fault
        )
        {
            // What may be written into Content-Encoding (RFC 9110, section 12.5.3).
            context.Response.Headers.AcceptEncoding = "identity";
            return Problem.Of(ProblemTypes.MediaTypeUnsupported, fault).ExecuteAsync(context);
        }

        return next(context);
    }

    private static string? FaultOf(HttpRequest request, EndpointMetadataCollection metadata)
    {
        var headers = request.Headers;
        if (!IsOnly(headers.ContentEncoding, "identity"))
        {
            return $"The body has the Content-Encoding '{headers.ContentEncoding}'; send it as it is, without one.";
        }

        if (!IsOnly(headers.TransferEncoding, "chunked"))
        {
            return $"The body has the Transfer-Encoding '{headers.TransferEncoding}'; send it with a Content-Length, or chunked.";
        }

        if (metadata.GetMetadata<OctetBody>() is not null)
        {
            return FaultOfOctets(request);
        }

        return metadata.GetMetadata<IAcceptsMetadata>() is null ? null : FaultOfJson(request);
    }

    private static string? FaultOfOctets(HttpRequest request)
    {
        if (request.Headers.ContentRange.Count > 0)
        {
            return $"The body is the range '{request.Headers.ContentRange}' of something; send all of it, without Content-Range.";
        }

        return
            MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            ? "The body is a form (multipart/form-data), which is not the content itself; send the bytes alone as "
                + "'Content-Type: application/octet-stream' (curl: --data-binary @FILE instead of -F)."
            : null;
    }

    private static string? FaultOfJson(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.Charset.HasValue)
        {
            return null;
        }

        var charset = HeaderUtilities.RemoveQuotes(type.Charset);
        if (charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
        {
            // In quotes it means the same, but not to who reads the body.
            request.ContentType = "application/json; charset=utf-8";
            return null;
        }

        try
        {
            Encoding.GetEncoding(charset.ToString());
            return null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return $"The charset '{charset}' is not known here; send the JSON in UTF-8, as 'Content-Type: application/json'.";
        }
    }

    private static bool IsOnly(StringValues header, string coding) =>
        header
            .SelectMany(line => (line ?? "").Split(',', StringSplitOptions.TrimEntries))
            .All(part => part.Equals(coding, StringComparison.OrdinalIgnoreCase));
}
