using System.Security.Cryptography;

namespace FileTransfer.Identity.Signing;

/// <summary>The public half of a node's key: ECDSA on the curve P-256. Its text is the base64 of its SubjectPublicKeyInfo (RFC 5480), 124 characters.</summary>
public sealed class PublicKey : IEquatable<PublicKey>
{
    private readonly byte[] _info;
    private readonly ECDsa _key;

    private PublicKey(byte[] info, ECDsa key) => (_info, _key) = (info, key);

    /// <summary>Its SubjectPublicKeyInfo.</summary>
    public ReadOnlySpan<byte> Info => _info;

    public static PublicKey Of(ECDsa key) => FromInfo(key.ExportSubjectPublicKeyInfo())!;

    /// <summary>Null where the text is no such key.</summary>
    public static PublicKey? FromText(string? text)
    {
        var info = new byte[128];
        return text is not null && Convert.TryFromBase64String(text, info, out var length) ? FromInfo(info[..length]) : null;
    }

    /// <param name="signature">r and s, 32 bytes each (IEEE P1363, as in JWS).</param>
    public bool Verifies(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        _key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    /// <summary>Whether the holder of this key says that <paramref name="next"/> is in its place.</summary>
    public bool HandsOverTo(PublicKey next, ReadOnlySpan<byte> rotation) => Verifies(next._info, rotation);

    public bool Equals(PublicKey? other) => other is not null && _info.AsSpan().SequenceEqual(other._info);

    public override bool Equals(object? obj) => Equals(obj as PublicKey);

    public override int GetHashCode() => BinaryPrimitives.ReadInt32LittleEndian(_info.AsSpan(^4..));

    public override string ToString() => Convert.ToBase64String(_info);

    private static PublicKey? FromInfo(byte[] info)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(info, out var read);
            // One key has one text.
            if (
                read == info.Length
                && key.ExportParameters(false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value
                && key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(info)
            )
            {
                return new PublicKey(info, key);
            }
        }
        catch (CryptographicException)
        {
            // Whoever wrote it is told by the caller, who knows where it stands.
        }

        key.Dispose();
        return null;
    }
}
