using FileTransfer.Operations;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;

namespace FileTransfer.Hosting.Requests;

/// <summary>Tells the audit log of every request that may change something, and of every one that is refused for want of a right.</summary>
/// <remarks>What nodes send each other (scope <c>node</c>) is no person's doing, and is told only where it is refused.</remarks>
internal sealed class AuditTrail(RequestDelegate next, AuditLog audit, TimeProvider time)
{
    /// <summary>A location in a query may have 64 KiB.</summary>
    private const int MostOfTarget = 300;

    public async Task InvokeAsync(HttpContext context)
    {
        await next(context);
        if (context.GetEndpoint() is RouteEndpoint route && IsTold(context, route))
        {
            audit.Add(EntryOf(context, route));
        }
    }

    /// <summary>The problem that a request is answered with.</summary>
    public static void SetProblem(HttpContext context, ProblemDetails problem) =>
        context.Items[typeof(AuditTrail)] = problem.Type?.Split(':')[^1];

    private static bool IsTold(HttpContext context, RouteEndpoint route) => !IsGuessing(context) && IsOfInterest(context, route);

    /// <summary>Whoever sends one wrong token after the other must not fill the log.</summary>
    private static bool IsGuessing(HttpContext context) =>
        context.Response.StatusCode == StatusCodes.Status429TooManyRequests
        && context.User.Identity is not { IsAuthenticated: true };

    private static bool IsOfInterest(HttpContext context, RouteEndpoint route) =>
        context.Response.StatusCode is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden
        || !(
            HttpMethods.IsGet(context.Request.Method)
            || HttpMethods.IsHead(context.Request.Method)
            || route.Metadata.GetOrderedMetadata<IAuthorizeData>().Any(needed => needed.Policy == AccessScopes.Node)
        );

    private AuditEntry EntryOf(HttpContext context, RouteEndpoint route)
    {
        var request = context.Request;
        // As it was escaped: what a client sends must not start a new line where it is shown.
        var target = request.Path.ToUriComponent() + request.QueryString.ToUriComponent();
        return new AuditEntry(
            time.GetUtcNow(),
            context.User.Identity is { IsAuthenticated: true, Name: { } name } ? name : null,
            context.Connection.RemoteIpAddress?.ToString(),
            $"{request.Method} {route.RoutePattern.RawText?.TrimEnd('/')}",
            target.Length <= MostOfTarget ? target : target[..MostOfTarget] + "…",
            context.Response.StatusCode,
            context.Items[typeof(AuditTrail)] as string,
            context.TraceIdentifier
        );
    }
}
