using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace FileTransfer.Http;

/// <summary>A certificate with its key that this process shows: PEM files, the key in the same or in another, or a PFX file.</summary>
/// <param name="name">The section of the settings that names it.</param>
public sealed class CertificateFile(string name, string path, string? keyPath, string? password, TimeProvider time)
{
    private readonly FileBacked<SslStreamCertificateContext> _read = new(
        () => Read(path, keyPath, password),
        time,
        keyPath is null ? [path] : [path, keyPath]
    );

    public string Name => name;

    /// <summary>Why a renewed certificate is not in use.</summary>
    public string? Fault => _read.Fault;

    /// <summary>With what leads to its authority.</summary>
    public SslStreamCertificateContext Context => _read.Value;

    public X509Certificate2 Certificate => Context.TargetCertificate;

    public static CertificateFile? Of(IConfigurationSection section, TimeProvider time) =>
        section["Path"] is { Length: > 0 } path
            ? new CertificateFile(section.Path, path, NullIfEmpty(section["KeyPath"]), NullIfEmpty(section["Password"]), time)
            : null;

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static SslStreamCertificateContext Read(string path, string? keyPath, string? password)
    {
        var all = new X509Certificate2Collection();
        if (!File.ReadAllText(path).Contains("-----BEGIN", StringComparison.Ordinal))
        {
            all = X509CertificateLoader.LoadPkcs12CollectionFromFile(path, password);
            return SslStreamCertificateContext.Create(all.First(one => one.HasPrivateKey), all, offline: true);
        }

        all.ImportFromPemFile(path);
        var own = password is null
            ? X509Certificate2.CreateFromPemFile(path, keyPath)
            : X509Certificate2.CreateFromEncryptedPemFile(path, password, keyPath);
        return SslStreamCertificateContext.Create(own, all, offline: true);
    }
}
