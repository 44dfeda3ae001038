using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FileTransfer.Hosting.Access;

/// <summary>What a client certificate can be known by, read once for each connection.</summary>
/// <param name="Names">DNS names and URIs of its subject alternative names, and its SHA-256 in hex.</param>
/// <param name="Serial">In hex.</param>
internal sealed record CertificateNames(IReadOnlyList<string> Names, string Serial)
{
    /// <summary>Begins the URI by which a certificate says whose node's it is.</summary>
    private const string NodePrefix = "urn:filetransfer:node:";

    /// <summary>Begins the URIs by which it says what its holder may do.</summary>
    private const string ScopePrefix = "urn:filetransfer:scope:";

    private const string SubjectAlternativeName = "2.5.29.17";
    private const int DnsName = 2;
    private const int Uri = 6;

    private static readonly ConditionalWeakTable<X509Certificate2, CertificateNames> _read = [];

    /// <summary>The node that it is for; null where it names none.</summary>
    public string? Node => After(NodePrefix).FirstOrDefault(name => NodeId.FromText(name) is not null);

    public IReadOnlyList<string> Scopes => [.. After(ScopePrefix).Intersect(AccessScopes.Scopes)];

    public static CertificateNames Of(X509Certificate2 certificate) => _read.GetValue(certificate, Read);

    private IEnumerable<string> After(string prefix) =>
        Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..]);

    private static CertificateNames Read(X509Certificate2 certificate)
    {
        var names = new List<string> { certificate.GetCertHashString(HashAlgorithmName.SHA256) };
        if (certificate.Extensions[SubjectAlternativeName] is { } extension)
        {
            var sequence = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (sequence.HasData)
            {
                var tag = sequence.PeekTag();
                if (tag is { TagClass: TagClass.ContextSpecific, TagValue: DnsName or Uri })
                {
                    names.Add(sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                }
                else
                {
                    sequence.ReadEncodedValue();
                }
            }
        }

        return new CertificateNames(names, certificate.SerialNumber);
    }
}
