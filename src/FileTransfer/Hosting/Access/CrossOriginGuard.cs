namespace FileTransfer.Hosting.Access;

/// <summary>
/// Keeps web pages of others away from a node that asks for no token: a browser on this machine reaches loopback too,
/// by a form that posts here or by a name that resolves to 127.0.0.1 after the page was loaded.
/// </summary>
internal sealed class CrossOriginGuard(RequestDelegate next, TokenTable tokens, IConfiguration configuration)
{
    private readonly bool _onlyLoopback = ListenAddresses.From(configuration).OnlyLoopback;

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (!tokens.IsAnonymous || HealthPaths.Contain(request.Path))
        {
            return next(context);
        }

        if (_onlyLoopback && request.Host.HasValue && !ListenAddresses.IsLoopback(request.Host.Host))
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

        return next(context);
    }

    private static bool IsRead(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    private static bool IsOwn(string origin, HttpRequest request) =>
        string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);

    private static Task Refuse(HttpContext context, string detail) =>
        Problem.Of(ProblemTypes.OriginRefused, detail).ExecuteAsync(context);
}
