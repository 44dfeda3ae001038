using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FileTransfer.Http;

/// <summary>A PEM file of authorities: whom they have signed for is believed, whatever else this machine trusts.</summary>
public sealed class AuthorityFile(string path, TimeProvider time)
{
    public const string ForServers = "1.3.6.1.5.5.7.3.1";
    public const string ForClients = "1.3.6.1.5.5.7.3.2";

    private readonly FileBacked<X509Certificate2Collection> _read = new(() => Read(path), time, path);

    public X509Certificate2Collection Certificates => _read.Value;

    /// <param name="presented">What was sent besides the certificate: the way to the authority.</param>
    public bool HasSigned(X509Certificate2 certificate, X509Chain? presented, string usage)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Certificates);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(usage));
        chain.ChainPolicy.ExtraStore.AddRange(presented?.ChainPolicy.ExtraStore ?? []);
        return chain.Build(certificate);
    }

    private static X509Certificate2Collection Read(string path)
    {
        var authority = new X509Certificate2Collection();
        authority.ImportFromPemFile(path);
        return authority.Count > 0 ? authority : throw new CryptographicException("it holds no certificate");
    }
}
