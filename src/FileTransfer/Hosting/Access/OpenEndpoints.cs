using System.Security.Cryptography.X509Certificates;

namespace FileTransfer.Hosting.Access;

/// <summary>Whether a request needs no token: decided by the endpoint that it came in on, wherever the server was told to listen.</summary>
internal sealed class OpenEndpoints(TokenTable tokens, IOptions<AccessOptions> access, IConfiguration configuration)
{
    private readonly bool _onlyLoopback = ListenAddresses.From(configuration).OnlyLoopback;

    /// <summary>Everybody may do everything there: because that is allowed, because a certificate was shown, or because nothing but this machine reaches it.</summary>
    public bool AreOpenTo(HttpContext context) =>
        access.Value.AllowAnonymous
        || (
            tokens.IsEmpty
            && (string.IsNullOrEmpty(access.Value.ClientAuthority) ? IsLoopback(context) : CertificateOf(context) is not null)
        );

    /// <summary>Who calls is taken for somebody by what his browser does by itself for any page.</summary>
    public bool TakeCallersUnasked(HttpContext context) =>
        AreOpenTo(context) || (CertificateOf(context) is not null && context.Request.Headers.Authorization.Count == 0);

    /// <summary>Only this machine is meant to call there, by its own names.</summary>
    public bool AreForThisMachine(HttpContext context) =>
        IsLoopback(context) && CertificateOf(context) is null && (_onlyLoopback || !access.Value.AllowAnonymous);

    /// <summary>The client certificate that counts: signed by the authority that is configured, and not revoked; null where there is none.</summary>
    public X509Certificate2? CertificateOf(HttpContext context) =>
        !string.IsNullOrEmpty(access.Value.ClientAuthority)
        && context.Connection.ClientCertificate is { } certificate
        && !tokens.IsRevoked(certificate)
            ? certificate
            : null;

    /// <summary>A socket of the file system has no address.</summary>
    private static bool IsLoopback(HttpContext context) =>
        context.Connection.LocalIpAddress is not { } address || IPAddress.IsLoopback(address);
}
