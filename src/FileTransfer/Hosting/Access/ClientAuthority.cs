using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace FileTransfer.Hosting.Access;

/// <summary>Accepts the client certificates that one authority has signed, whatever else this machine trusts.</summary>
internal static class ClientAuthority
{
    private const string UsageClientAuthentication = "1.3.6.1.5.5.7.3.2";

    public static X509Certificate2Collection Read(string path)
    {
        var authority = new X509Certificate2Collection();
        try
        {
            authority.ImportFromPemFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new FatalStartException(
                $"FileTransfer:ClientAuthority is '{path}', which cannot be read ({e.Message.TrimEnd('.')}); write a PEM file.",
                e
            );
        }

        return authority.Count > 0
            ? authority
            : throw new FatalStartException(
                $"FileTransfer:ClientAuthority is '{path}', which holds no certificate; write the authority's PEM file."
            );
    }

    public static void AcceptClientsOf(this KestrelServerOptions kestrel, string path)
    {
        var authority = Read(path);
        kestrel.ConfigureHttpsDefaults(https =>
            https.ClientCertificateValidation = (certificate, presented, _) => IsSigned(certificate, presented, authority)
        );
    }

    private static bool IsSigned(X509Certificate2 certificate, X509Chain? presented, X509Certificate2Collection authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(UsageClientAuthentication));
        // What the client sent besides its own certificate: the way to the authority.
        chain.ChainPolicy.ExtraStore.AddRange(presented?.ChainPolicy.ExtraStore ?? []);
        return chain.Build(certificate);
    }
}
