using System.Security.Cryptography;

namespace FileTransfer.Contracts;

/// <summary>What a node is asked for before another shows its token there: that it lists the token's hash, and means to be at this address.</summary>
/// <remarks>Neither word tells anything to who does not know the hash, nor serves at another address or for another question.</remarks>
public static class PeerProof
{
    /// <summary>The header of the answer.</summary>
    public const string Header = "FileTransfer-Proof";

    public static string PathOf(string nonce, ReadOnlySpan<byte> tokenHash) =>
        $"{Routes.Proof}?nonce={nonce}&asks={Asks(tokenHash, nonce)}";

    /// <summary>Who asks knows the hash, too.</summary>
    public static string Asks(ReadOnlySpan<byte> tokenHash, string nonce) => Words(tokenHash, $"asks {nonce}");

    /// <param name="at">Where the node answers, as it says in the database.</param>
    public static string Answers(ReadOnlySpan<byte> tokenHash, string nonce, Uri at) =>
        Words(tokenHash, $"answers {nonce} {at.GetLeftPart(UriPartial.Authority)}");

    public static bool AreEqual(string? one, string other) =>
        one is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));

    private static string Words(ReadOnlySpan<byte> tokenHash, string text) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(tokenHash, Encoding.UTF8.GetBytes(text)));
}
