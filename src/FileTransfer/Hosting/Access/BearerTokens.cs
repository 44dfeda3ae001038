using System.Security.Claims;
using FileTransfer.Catalog.Providers;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace FileTransfer.Hosting.Access;

/// <summary>Who calls: <c>Authorization: Bearer TOKEN</c>, a signature, or a client certificate. Where <see cref="OpenEndpoints"/> says so, everyone may do everything.</summary>
internal sealed class BearerTokens(TokenTable tokens, OpenEndpoints endpoints, KnownNodes nodes, SignedCallers signed)
    : IAuthenticationHandler
{
    public const string SchemeName = "Bearer";

    private const string Prefix = SchemeName + " ";

    private HttpContext? _context;
    private Task<AuthenticateResult>? _signed;

    public Task InitializeAsync(AuthenticationScheme scheme, HttpContext context)
    {
        _context = context;
        return Task.CompletedTask;
    }

    public async Task<AuthenticateResult> AuthenticateAsync()
    {
        // What everybody may ask looks for itself who has signed it.
        if (SignedCallers.HasSigned(_context!.Request) && _context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is null)
        {
            // A signature counts once, and this may be asked twice.
            return await (_signed ??= signed.AuthenticateAsync(_context));
        }

        var result = Authenticate(_context.Request.Headers.Authorization);
        if (
            result.Principal is { } holder
            && holder.HasClaim(AccessScopes.Claim, AccessScopes.Node)
            && NodeId.FromText(_context.Request.Headers[NodeHeader.Name]) is { } node
            && (TokenTable.NodeOf(holder) is not null || (!tokens.NamesNodes && await nodes.HasAsync(node)))
        )
        {
            NodeHeader.Prove(_context, node.Value);
        }

        return result;
    }

    /// <summary>What a refused caller reads is written by <see cref="AccessAnswers"/>, which knows the scope.</summary>
    public Task ChallengeAsync(AuthenticationProperties? properties) => Refuse(StatusCodes.Status401Unauthorized);

    public Task ForbidAsync(AuthenticationProperties? properties) => Refuse(StatusCodes.Status403Forbidden);

    /// <summary>What a request shows; null where it shows no token.</summary>
    public static string? TokenOf(HttpRequest request) =>
        (string?)request.Headers.Authorization is { } header && header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
            ? header[Prefix.Length..].Trim()
            : null;

    private AuthenticateResult Authenticate(string? header)
    {
        if (header is null && endpoints.CertificateOf(_context!) is { } certificate && tokens.Find(certificate) is { } shown)
        {
            return AcceptAsNode(shown, "certificate");
        }

        if (endpoints.AreOpenTo(_context!))
        {
            return Accept(TokenTable.Anyone);
        }

        if (header is null || !header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }

        return tokens.Find(header[Prefix.Length..].Trim()) is { } holder
            ? AcceptAsNode(holder, "token")
            : AuthenticateResult.Fail("The token in the Authorization header is not known to this node");
    }

    private AuthenticateResult AcceptAsNode(ClaimsPrincipal holder, string what) =>
        TokenTable.NodeOf(holder) is not { } node || _context!.Request.Headers[NodeHeader.Name] == node
            ? Accept(holder)
            : AuthenticateResult.Fail(
                $"The {what} '{holder.Identity!.Name}' is that of the node '{node}', and counts with '{NodeHeader.Name}: {node}' alone"
            );

    private static AuthenticateResult Accept(ClaimsPrincipal holder) =>
        AuthenticateResult.Success(new AuthenticationTicket(holder, SchemeName));

    private Task Refuse(int status)
    {
        _context!.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
