using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;

namespace FileTransfer.Hosting.Access;

/// <summary>Who calls: <c>Authorization: Bearer TOKEN</c>. Without configured tokens, everyone may do everything.</summary>
internal sealed class BearerTokens(TokenTable tokens) : IAuthenticationHandler
{
    public const string SchemeName = "Bearer";

    private const string Prefix = SchemeName + " ";

    private HttpContext? _context;

    public Task InitializeAsync(AuthenticationScheme scheme, HttpContext context)
    {
        _context = context;
        return Task.CompletedTask;
    }

    public Task<AuthenticateResult> AuthenticateAsync() => Task.FromResult(Authenticate(_context!.Request.Headers.Authorization));

    /// <summary>What a refused caller reads is written by <see cref="AccessAnswers"/>, which knows the scope.</summary>
    public Task ChallengeAsync(AuthenticationProperties? properties) => Refuse(StatusCodes.Status401Unauthorized);

    public Task ForbidAsync(AuthenticationProperties? properties) => Refuse(StatusCodes.Status403Forbidden);

    private AuthenticateResult Authenticate(string? header)
    {
        if (tokens.IsAnonymous)
        {
            return Accept(TokenTable.Anyone);
        }

        if (header is null || !header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }

        return tokens.Find(header[Prefix.Length..].Trim()) is { } holder
            ? Accept(holder)
            : AuthenticateResult.Fail("The token is not known to this node.");
    }

    private static AuthenticateResult Accept(ClaimsPrincipal holder) =>
        AuthenticateResult.Success(new AuthenticationTicket(holder, SchemeName));

    private Task Refuse(int status)
    {
        _context!.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
