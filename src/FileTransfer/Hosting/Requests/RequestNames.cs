namespace FileTransfer.Hosting.Requests;

/// <summary>Gives each request the id that its caller has given it, else one of the server's: in the answer, the log, the audit log and problems.</summary>
/// <remarks>A <c>traceparent</c> is the framework's to read and to pass on; its ids are on the lines of the log.</remarks>
internal static class RequestNames
{
    private const int Longest = 128;

    /// <summary>None of them can begin a line of a log.</summary>
    private static readonly SearchValues<char> _inIds = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/+=-"
    );

    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (
            (string?)context.Request.Headers[RequestIdHeader.Name] is { } given
            && given.Length is > 0 and <= Longest
            && !given.AsSpan().ContainsAnyExcept(_inIds)
        )
        {
            context.TraceIdentifier = given;
        }

        context.Response.OnStarting(() =>
        {
            context.Response.Headers[RequestIdHeader.Name] = context.TraceIdentifier;
            return Task.CompletedTask;
        });
        return next(context);
    }
}
