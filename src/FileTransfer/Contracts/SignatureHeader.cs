using System.Buffers.Text;
using System.Security.Cryptography;

namespace FileTransfer.Contracts;

/// <summary>The header by which a node signs a request, or an answer to gossip, and the text that is signed.</summary>
/// <remarks>Whose key it is say <see cref="NodeHeader.Cluster"/> and <see cref="NodeHeader.Name"/> beside it.</remarks>
/// <param name="To">Of a request: whom it is for, <c>CLUSTER/NODE</c>, or <see cref="Anybody"/>.</param>
/// <param name="At">Of a request: when it was signed, in seconds since 1970.</param>
/// <param name="Nonce">12 random bytes in base64url: an answer has that of its request.</param>
/// <param name="Signature">r and s, 32 bytes each.</param>
public sealed record SignatureHeader(string To, long At, string Nonce, byte[] Signature)
{
    public const string Name = "FileTransfer-Signature";

    /// <summary>Stands for whoever answers at a seed's address, whose name is not known yet.</summary>
    public const string Anybody = "-";

    private const int NonceBytes = 12;
    private const int SignatureBytes = 64;

    public static string NewNonce() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(NonceBytes));

    /// <param name="method">In capital letters.</param>
    /// <param name="target">Path and query, as they are sent.</param>
    /// <param name="body">Empty where there is none.</param>
    public static byte[] TextOfRequest(
        string method,
        string target,
        string to,
        PeerName from,
        long at,
        string nonce,
        ReadOnlySpan<byte> body
    ) =>
        Encoding.UTF8.GetBytes(
            string.Join(
                '\n',
                "filetransfer-request",
                method,
                target,
                to,
                from.Cluster,
                from.Node.Value,
                at.ToString(CultureInfo.InvariantCulture),
                nonce,
                HashOf(body)
            )
        );

    public static byte[] TextOfAnswer(string nonce, PeerName from, ReadOnlySpan<byte> body) =>
        Encoding.UTF8.GetBytes(string.Join('\n', "filetransfer-answer", nonce, from.Cluster, from.Node.Value, HashOf(body)));

    /// <summary>Reads that of a request; null where the text is none.</summary>
    public static SignatureHeader? OfRequest(string? text) =>
        Parts(text) is [("to", var to), ("at", var at), ("nonce", var nonce), ("sig", var signature)]
        && (to == Anybody || PeerName.FromText(to) is not null)
        && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && Decode(nonce, NonceBytes) is not null
        && Decode(signature, SignatureBytes) is { } bytes
            ? new SignatureHeader(to, seconds, nonce, bytes)
            : null;

    /// <summary>Reads that of an answer: its nonce and its signature; null where the text is none.</summary>
    public static (string Nonce, byte[] Signature)? OfAnswer(string? text) =>
        Parts(text) is [("nonce", var nonce), ("sig", var signature)]
        && Decode(nonce, NonceBytes) is not null
        && Decode(signature, SignatureBytes) is { } bytes
            ? (nonce, bytes)
            : null;

    public static string AnswerText(string nonce, ReadOnlySpan<byte> signature) =>
        $"nonce={nonce}; sig={Base64Url.EncodeToString(signature)}";

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"to={To}; at={At}; nonce={Nonce}; sig={Base64Url.EncodeToString(Signature)}"
        );

    private static (string Name, string Value)[] Parts(string? text) =>
        [
            .. (text ?? "")
                .Split("; ")
                .Select(part => part.Split('=', 2))
                .Select(part => (part[0], part.Length > 1 ? part[1] : "")),
        ];

    /// <summary>Null where it is not as many bytes, without padding.</summary>
    private static byte[]? Decode(string text, int bytes) =>
        text.Length == Base64Url.GetEncodedLength(bytes) && Base64Url.IsValid(text, out var length) && length == bytes
            ? Base64Url.DecodeFromChars(text)
            : null;

    private static string HashOf(ReadOnlySpan<byte> body) => Convert.ToHexStringLower(SHA256.HashData(body));
}
