namespace FileTransfer.Hosting.Access;

/// <summary>
/// Keeps web pages of others away from an endpoint that asks for no token: a browser on this machine reaches loopback too,
/// by a form that posts here or by a name that resolves to 127.0.0.1 after the page was loaded.
/// </summary>
internal sealed class CrossOriginGuard(RequestDelegate next, OpenEndpoints endpoints)
{
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (!endpoints.TakeCallersUnasked(context) || HealthPaths.Contain(request.Path))
        {
            return next(context);
        }

        if (endpoints.AreForThisMachine(context) && request.Host.HasValue && !ListenAddresses.IsLoopback(request.Host.Host))
        {
            return Refuse(
                context,
                $"The Host header is '{request.Host}', but this node is open to this machine only; use http://127.0.0.1, or configure FileTransfer:Tokens."
            );
        }

        string? origin = request.Headers.Origin;
        if (origin is not null && !IsRead(request.Method) && !IsOwn(origin, request))
        {
            return Refuse(
                context,
                $"The Origin header is '{origin}': a page of another site may not change anything here; configure FileTransfer:Tokens and send one."
            );
        }

        return
            IsOfOtherSite(request.Headers)
            && !(HttpMethods.IsGet(request.Method) && request.Headers["Sec-Fetch-Mode"] == "navigate")
            ? Refuse(
                context,
                "The Sec-Fetch-Site header says that a page of another site asks: it may lead here, and no more; configure FileTransfer:Tokens and send one."
            )
            : next(context);
    }

    /// <summary>Browsers say which page asks, also where they send no Origin.</summary>
    private static bool IsOfOtherSite(IHeaderDictionary headers) =>
        headers["Sec-Fetch-Site"] is [{ } site] && site is "cross-site" or "same-site";

    private static bool IsRead(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    private static bool IsOwn(string origin, HttpRequest request) =>
        string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);

    private static Task Refuse(HttpContext context, string detail) =>
        Problem.Of(ProblemTypes.OriginRefused, detail).ExecuteAsync(context);
}
