using Microsoft.AspNetCore.Diagnostics;

namespace FileTransfer.Hosting.Requests;

/// <summary>Gives a body to the errors that the framework answers with a bare status.</summary>
internal static class StatusProblems
{
    public static Task WriteAsync(StatusCodeContext context)
    {
        var http = context.HttpContext;
        var (type, detail) = Explain(http);
        return (type is null ? Results.StatusCode(http.Response.StatusCode) : Problem.Of(type, detail)).ExecuteAsync(http);
    }

    private static (ProblemType? Type, string Detail) Explain(HttpContext http)
    {
        var (method, path) = (http.Request.Method, http.Request.Path.ToUriComponent());
        return http.Response.StatusCode switch
        {
            400 => (ProblemTypes.BadRequest, $"{method} {path} is malformed; what the route takes is described at /swagger."),
            404 => (ProblemTypes.RouteUnknown, $"There is no route {method} {path}; all routes are described at /swagger."),
            405 => (ProblemTypes.MethodNotAllowed, $"{path} does not accept {method}; allowed: {http.Response.Headers.Allow}."),
            408 => (ProblemTypes.RequestTimeout, "The request came too slowly; send it without long pauses."),
            412 => (
                ProblemTypes.PreconditionFailed,
                "If-Match names a different version from the one here; retry without it, or with the ETag of this response."
            ),
            413 => (ProblemTypes.RequestTooLarge, "The body is larger than this route takes; send a smaller one."),
            415 => (
                ProblemTypes.MediaTypeUnsupported,
                $"The Content-Type '{http.Request.ContentType}' is not one {method} {path} takes; what it takes is described at /swagger."
            ),
            416 => (
                ProblemTypes.RangeUnsatisfiable,
                $"The range '{http.Request.Headers.Range}' lies outside the content; the Content-Range header of this answer tells its length."
            ),
            500 => (ProblemTypes.InternalFault, $"{method} {path} failed; this node's log says why."),
            _ => (null, ""),
        };
    }
}
