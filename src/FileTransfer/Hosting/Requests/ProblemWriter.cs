using FileTransfer.Hosting.Access;
using Microsoft.AspNetCore.Mvc;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace FileTransfer.Hosting.Requests;

/// <summary>Writes every problem, whatever the client accepts, with the headers that belong to its status.</summary>
internal sealed class ProblemWriter(IOptions<JsonOptions> json) : IProblemDetailsWriter
{
    public bool CanWrite(ProblemDetailsContext context) => true;

    public async ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var http = context.HttpContext;
        var headers = http.Response.Headers;
        switch (http.Response.StatusCode)
        {
            case StatusCodes.Status401Unauthorized when headers.WWWAuthenticate.Count == 0:
                headers.WWWAuthenticate = BearerTokens.SchemeName;
                break;
            case StatusCodes.Status503ServiceUnavailable when headers.RetryAfter.Count == 0:
                headers.RetryAfter = "5";
                break;
        }

        AuditTrail.SetProblem(http, context.ProblemDetails);
        headers.CacheControl = "no-store";
        http.Response.ContentType = Problem.ContentType;
        var body = JsonSerializer.SerializeToUtf8Bytes(
            context.ProblemDetails,
            json.Value.SerializerOptions.GetTypeInfo(typeof(ProblemDetails))
        );
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }
}
