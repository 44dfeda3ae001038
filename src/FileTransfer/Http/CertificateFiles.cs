using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FileTransfer.Http;

/// <summary>The certificates that this node shows, and whose it believes.</summary>
public sealed class CertificateFiles
{
    public const string ClientSection = "FileTransfer:ClientCertificate";
    public const string AuthorityKey = "FileTransfer:TrustedAuthority";

    private readonly Dictionary<string, EndpointCertificates> _ofEndpoints;
    private readonly AuthorityFile? _authority;

    public CertificateFiles(IConfiguration all, TimeProvider time)
    {
        Client = CertificateFile.Of(all.GetSection(ClientSection), time);
        _authority = all[AuthorityKey] is { Length: > 0 } path ? new AuthorityFile(path, time) : null;
        Default = CertificateFile.Of(all.GetSection("Kestrel:Certificates:Default"), time);
        _ofEndpoints = all.GetSection("Kestrel:Endpoints")
            .GetChildren()
            .ToDictionary(endpoint => endpoint.Key, endpoint => new EndpointCertificates(endpoint, Default, time));
    }

    /// <summary>What this node shows to others; null where it shows none.</summary>
    public CertificateFile? Client { get; }

    /// <summary>What endpoints show that have none of their own.</summary>
    public CertificateFile? Default { get; }

    /// <summary>What endpoints show, by their names.</summary>
    public IReadOnlyDictionary<string, EndpointCertificates> OfEndpoints => _ofEndpoints;

    /// <summary>Whether reading files of certificates and keys fails so.</summary>
    public static bool IsUnreadable(Exception fault) =>
        fault
            is IOException
                or UnauthorizedAccessException
                or CryptographicException
                or ArgumentException
                or InvalidOperationException;

    public IEnumerable<CertificateFile> All =>
        _ofEndpoints
            .Values.SelectMany(endpoint => endpoint.Files)
            .Append(Client)
            .Append(Default)
            .OfType<CertificateFile>()
            .Distinct();

    /// <summary>Connections on which this node shows its certificate, and believes its authority.</summary>
    public SocketsHttpHandler ShownBy(SocketsHttpHandler handler) => Show(handler, Client, _authority);

    internal static SocketsHttpHandler Show(SocketsHttpHandler handler, CertificateFile? client, AuthorityFile? authority)
    {
        if (client is not null)
        {
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => client.Certificate;
        }

        if (authority is not null)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None
                && certificate is X509Certificate2 shown
                && authority.HasSigned(shown, chain, AuthorityFile.ForServers);
        }

        return handler;
    }
}
