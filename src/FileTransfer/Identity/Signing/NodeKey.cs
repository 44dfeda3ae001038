using System.Security.Cryptography;

namespace FileTransfer.Identity.Signing;

/// <summary>The key pair by which others know a node, whatever its address: ECDSA on the curve P-256.</summary>
public sealed class NodeKey
{
    private readonly ECDsa _key;

    private NodeKey(ECDsa key) => (_key, Public) = (key, PublicKey.Of(key));

    public PublicKey Public { get; }

    public static NodeKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <param name="pkcs8">RFC 5208; null is answered where it is none, or one of another kind.</param>
    public static NodeKey? FromPkcs8(ReadOnlySpan<byte> pkcs8)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            if (PublicKey.FromText(Convert.ToBase64String(key.ExportSubjectPublicKeyInfo())) is not null)
            {
                return new NodeKey(key);
            }
        }
        catch (CryptographicException)
        {
            // Whoever wrote it is told by the caller, who knows where it stands.
        }

        key.Dispose();
        return null;
    }

    public byte[] ToPkcs8() => _key.ExportPkcs8PrivateKey();

    /// <returns>As <see cref="PublicKey.Verifies"/> takes it.</returns>
    public byte[] Sign(ReadOnlySpan<byte> data) =>
        _key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
}
