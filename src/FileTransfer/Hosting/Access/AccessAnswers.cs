using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.AspNetCore.Authorization.Policy;

namespace FileTransfer.Hosting.Access;

/// <summary>Tells a caller without the right token what is missing: 401 without a valid one, 403 naming the scope.</summary>
internal sealed class AccessAnswers(WrongTokens wrong) : IAuthorizationMiddlewareResultHandler
{
    public async Task HandleAsync(
        RequestDelegate next,
        HttpContext context,
        AuthorizationPolicy policy,
        PolicyAuthorizationResult authorizeResult
    )
    {
        if (authorizeResult.Succeeded)
        {
            await next(context);
            return;
        }

        if (authorizeResult.Forbidden)
        {
            var scope = Needed(policy);
            await Problem
                .Of(
                    ProblemTypes.Forbidden,
                    $"The token '{context.User.Identity?.Name}' lacks the scope '{scope}' that {context.Request.Method} "
                        + $"{context.Request.Path.ToUriComponent()} needs; use a token that has it, or add it to FileTransfer:Tokens.",
                    ("scope", scope)
                )
                .ExecuteAsync(context);
            return;
        }

        var signed = SignedCallers.HasSigned(context.Request);
        var sent = signed || context.Request.Headers.Authorization.Count > 0;
        if (sent && wrong.Count(context) is { } wait)
        {
            context.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            await Problem
                .Of(
                    ProblemTypes.TooManyRequests,
                    $"{CallerBounds.CallerOf(context)} has sent too many wrong tokens or signatures ({CallerLimits.Section}:{nameof(CallerLimits.WrongTokensPerMinute)}); correct them.",
                    ("limit", nameof(CallerLimits.WrongTokensPerMinute))
                )
                .ExecuteAsync(context);
            return;
        }

        context.Response.Headers.WWWAuthenticate = sent
            ? """Bearer realm="filetransfer", error="invalid_token" """.TrimEnd()
            : """Bearer realm="filetransfer" """.TrimEnd();
        var failure = (await context.AuthenticateAsync()).Failure?.Message;
        await Problem
            .Of(
                ProblemTypes.Unauthenticated,
                signed ? $"{failure}."
                    : failure is not null || sent
                        ? $"{failure ?? "The Authorization header has no bearer token"}; send 'Authorization: Bearer TOKEN' with one whose hash is in FileTransfer:Tokens."
                    : "This node requires a token; send 'Authorization: Bearer TOKEN' with one whose hash is in its FileTransfer:Tokens."
            )
            .ExecuteAsync(context);
    }

    private static string Needed(AuthorizationPolicy policy) =>
        policy.Requirements.OfType<ClaimsAuthorizationRequirement>().Last().AllowedValues!.Single();
}
