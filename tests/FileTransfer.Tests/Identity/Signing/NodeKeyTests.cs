using System.Security.Cryptography;
using System.Text;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Tests.Identity.Signing;

public sealed class NodeKeyTests
{
    private static readonly byte[] _words = Encoding.UTF8.GetBytes("words");

    [Fact]
    public void What_a_key_signs_its_public_half_verifies_and_the_framework_too()
    {
        var key = NodeKey.Create();
        var signature = key.Sign(_words);
        signature.Length.ShouldBe(64);
        key.Public.Verifies(_words, signature).ShouldBeTrue();
        using var plain = ECDsa.Create();
        plain.ImportSubjectPublicKeyInfo(Convert.FromBase64String(key.Public.ToString()), out _);
        plain.VerifyData(_words, signature, HashAlgorithmName.SHA256).ShouldBeTrue();
        PublicKey.Of(plain).ShouldBe(key.Public);
        key.Public.Verifies(_words, plain.ExportSubjectPublicKeyInfo().AsSpan(..64)).ShouldBeFalse();
        key.Public.Verifies(_words, []).ShouldBeFalse();
    }

    [Fact]
    public void A_key_signs_for_many_at_once()
    {
        var key = NodeKey.Create();
        Parallel.For(0, 500, _ => key.Public.Verifies(_words, key.Sign(_words)).ShouldBeTrue());
    }

    [Fact]
    public void A_public_key_has_one_text_and_no_other_is_one()
    {
        var key = NodeKey.Create().Public;
        key.ToString().Length.ShouldBe(124);
        PublicKey.FromText(key.ToString()).ShouldBe(key);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(1024);
        foreach (
            var text in (string?[])
                [
                    null,
                    "",
                    "x",
                    key.ToString()[..^4],
                    Convert.ToBase64String(other.ExportSubjectPublicKeyInfo()),
                    Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo()),
                    Convert.ToBase64String(Compressed(key)),
                ]
        )
        {
            PublicKey.FromText(text).ShouldBeNull();
        }
    }

    /// <summary>The same key, its point written in half the bytes.</summary>
    private static byte[] Compressed(PublicKey key)
    {
        var info = key.Info.ToArray();
        var sign = (byte)(2 + (info[^1] & 1));
        byte[] compressed = [.. info[..26], sign, .. info[27..59]];
        (compressed[1], compressed[24]) = (0x39, 0x22);
        return compressed;
    }
}
