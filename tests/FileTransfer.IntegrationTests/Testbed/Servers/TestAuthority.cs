using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>Signs certificates for a test; all are good for <c>127.0.0.1</c>, for a day.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset _from = DateTimeOffset.UtcNow.AddDays(-1);
    private readonly X509Certificate2 _own;

    public TestAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _own = request.CreateSelfSigned(_from, _from.AddYears(1));
    }

    public string Pem => _own.ExportCertificatePem();

    /// <param name="names">URIs among its names.</param>
    public X509Certificate2 Sign(string name, params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false)
        );
        var all = new SubjectAlternativeNameBuilder();
        all.AddIpAddress(IPAddress.Loopback);
        all.AddDnsName($"{name}.example");
        foreach (var uri in names)
        {
            all.AddUri(new Uri(uri));
        }

        request.CertificateExtensions.Add(all.Build());
        using var certificate = request.Create(_own, _from, _from.AddDays(2), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>Certificate and key, in one PEM file that is there at once.</summary>
    /// <returns>Its serial number.</returns>
    public string Write(string path, string name, params string[] names)
    {
        using var certificate = Sign(name, names);
        File.WriteAllText(
            path + ".new",
            certificate.ExportCertificatePem() + "\n" + certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()
        );
        File.Move(path + ".new", path, overwrite: true);
        return certificate.SerialNumber;
    }

    public X509ChainPolicy Trust()
    {
        var trust = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        trust.CustomTrustStore.Add(_own);
        return trust;
    }

    public void Dispose() => _own.Dispose();
}
