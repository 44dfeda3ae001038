using FileTransfer.Cluster;
using FileTransfer.Cluster.Trust;
using FileTransfer.Identity.Signing;
using Microsoft.AspNetCore.Authentication;

namespace FileTransfer.Hosting.Access;

/// <summary>Nodes that show neither a token nor a certificate and sign what they ask: let in with scope <c>node</c> where their key is trusted.</summary>
internal sealed class SignedCallers(TrustedKeys trusted, RequestSignatures signatures, ThisNode here)
{
    private static readonly object _peer = new();

    /// <summary>Whether a request is to be let in by its signature. Who sends one is never taken for somebody else.</summary>
    public static bool HasSigned(HttpRequest request) =>
        request.Headers.ContainsKey(SignatureHeader.Name) && request.Headers.Authorization.Count == 0;

    /// <summary>The node that has signed a request that was let in, and the keys that counted then.</summary>
    public static (PeerName Name, IReadOnlyList<PublicKey> Keys)? PeerOf(HttpContext context) =>
        context.Items[_peer] as (PeerName, IReadOnlyList<PublicKey>)?;

    public async Task<AuthenticateResult> AuthenticateAsync(HttpContext context)
    {
        var (name, fault) = await FaultOfAsync(context);
        if (fault is not null)
        {
            return AuthenticateResult.Fail(fault);
        }

        NodeHeader.Prove(context, name!.Cluster == here.ClusterId ? name.Node.Value : name.ToString());
        var principal = TokenTable.PrincipalOf($"peer {name}", name.Node.Value, AccessScopes.ImpliedBy(AccessScopes.Node));
        return AuthenticateResult.Success(new AuthenticationTicket(principal, BearerTokens.SchemeName));
    }

    private async Task<(PeerName? Name, string? Fault)> FaultOfAsync(HttpContext context)
    {
        var request = context.Request;
        if (
            PeerName.FromText($"{request.Headers[NodeHeader.Cluster]}/{request.Headers[NodeHeader.Name]}") is not { } name
            || SignatureHeader.OfRequest(request.Headers[SignatureHeader.Name]) is not { } header
        )
        {
            return (
                null,
                $"The request has {SignatureHeader.Name}, and that, {NodeHeader.Cluster} or {NodeHeader.Name} is missing or malformed"
            );
        }

        var verdict = trusted.Judge(name);
        if (!verdict.IsTrusted)
        {
            trusted.Doubt();
            return (
                name,
                verdict.Standing == TrustStanding.Revoked
                    ? $"The trust in '{name}' was revoked; PUT /v1/trust/{name.Node} at a node of this cluster ends that"
                    : $"The key of '{name}' is not trusted here; list it with PUT /v1/trust/{name.Node}, or in FileTransfer:Trust"
            );
        }

        if (signatures.FaultOf(header, forAnybody: false) is { } early)
        {
            return (name, Refused(early));
        }

        if (await RequestSignatures.ReadBodyAsync(request, context.RequestAborted) is not { } body)
        {
            return (name, Refused($"its body is longer than {RequestSignatures.LongestBody} bytes"));
        }

        if (signatures.FaultOfSignature(request, name, header, body, verdict.Keys, isTrusted: true) is { } late)
        {
            trusted.Doubt();
            return (name, Refused(late));
        }

        context.Items[_peer] = (name, verdict.Keys);
        return (name, null);

        string Refused(string why) => $"The signature of '{name}' is refused: {why}";
    }
}
