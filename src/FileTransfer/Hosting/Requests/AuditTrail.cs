using System.Diagnostics;
using System.Security.Principal;
using FileTransfer.Operations;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;

namespace FileTransfer.Hosting.Requests;

/// <summary>
/// Tells the audit log of every request that may change something, of every one that is refused for want of a right, and of the use of tokens.
/// </summary>
/// <remarks>
/// What nodes send each other (scope <c>node</c>) is no person's doing, and is told only where it is refused. Whoever is refused over and over
/// must not fill the log: that is one entry a minute, with a count. A token's use is one a day from each address.
/// </remarks>
internal sealed class AuditTrail(RequestDelegate next, AuditLog audit, NodeId here, TimeProvider time)
{
    /// <summary>A location in a query may have 64 KiB.</summary>
    private const int MostOfTarget = 300;

    /// <summary>Uses of the day that are remembered here; the database knows of those beyond that they are no news.</summary>
    private const int MostUses = 10_000;

    private readonly ConcurrentDictionary<(string Token, IPAddress? Address, DateOnly Day), bool> _uses = new();

    public async Task InvokeAsync(HttpContext context)
    {
        await next(context);
        if (context.GetEndpoint() is not RouteEndpoint route)
        {
            return;
        }

        if (IsRefused(context))
        {
            var entry = EntryOf(context, route);
            audit.Add(entry.OnceA("yyyy-MM-dd HH:mm", $"refused at {here} {entry.Problem}"));
        }
        else if (MayChange(context, route))
        {
            audit.Add(EntryOf(context, route));
        }

        if (IsFirstUse(context.User.Identity, context.Connection.RemoteIpAddress))
        {
            var use = EntryOf(context, route) with { Action = "token" };
            audit.Add(use.OnceA("yyyy-MM-dd", use.Action));
        }
    }

    /// <summary>The problem that a request is answered with.</summary>
    public static void SetProblem(HttpContext context, ProblemDetails problem) =>
        context.Items[typeof(AuditTrail)] = problem.Type?.Split(':')[^1];

    /// <summary>Also one of those who have sent too many wrong tokens to be told so each time.</summary>
    private static bool IsRefused(HttpContext context) =>
        context.Response.StatusCode is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden
        || (
            context.Response.StatusCode == StatusCodes.Status429TooManyRequests
            && context.User.Identity is not { IsAuthenticated: true }
        );

    private static bool MayChange(HttpContext context, RouteEndpoint route) =>
        !(
            HttpMethods.IsGet(context.Request.Method)
            || HttpMethods.IsHead(context.Request.Method)
            || route.Metadata.GetOrderedMetadata<IAuthorizeData>().Any(needed => needed.Policy == AccessScopes.Node)
        );

    /// <summary>Whether somebody was let in by a token, certificate or signature as he was not yet today, as far as is known here.</summary>
    private bool IsFirstUse(IIdentity? who, IPAddress? address)
    {
        if (who is not { IsAuthenticated: true, Name: { } name } || name == AccessScopes.Anonymous)
        {
            return false;
        }

        if (_uses.Count >= MostUses)
        {
            _uses.Clear();
        }

        return _uses.TryAdd((name, address, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime)), true);
    }

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
        )
        {
            TraceId = Activity.Current?.TraceId.ToHexString(),
        };
    }
}
