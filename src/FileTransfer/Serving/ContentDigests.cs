using System.Security.Cryptography;
using FileTransfer.Chunks;

namespace FileTransfer.Serving;

/// <summary>The <c>Repr-Digest</c> of a raw content (RFC 9530), for readers who check with tools that know SHA-256 and not fingerprints.</summary>
/// <remarks>
/// It costs a pass over the content, so it is sent unasked for contents of at most <see cref="UnaskedBytes"/>, and for larger ones when
/// <c>Want-Repr-Digest</c> asks for <c>sha-256</c>. It is of proven bytes only. The newest results are remembered: contents never change.
/// </remarks>
public sealed class ContentDigests
{
    public const long UnaskedBytes = 1024 * 1024;
    private const int Remembered = 10_000;
    private const int PieceLength = 256 * 1024;

    private readonly ConcurrentDictionary<Fingerprint, string> _known = new();

    /// <summary>The header's value, or null when it is neither cheap nor asked for.</summary>
    /// <exception cref="ContentDamagedException">There is none: the content, which must prove itself, is not right.</exception>
    public string? For(HttpRequest request, OpenContent content, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(content.Fingerprint, out var known))
        {
            return known;
        }

        if (content.Size > UnaskedBytes && !Wants(request))
        {
            return null;
        }

        var digest = $"sha-256=:{Convert.ToBase64String(Sha256(content, cancellationToken))}:";
        if (_known.Count >= Remembered)
        {
            _known.Clear();
        }

        return _known[content.Fingerprint] = digest;
    }

    /// <summary>A preference of 0 means "do not send" (RFC 9530, section 4).</summary>
    private static bool Wants(HttpRequest request) =>
        request
            .Headers.GetCommaSeparatedValues("Want-Repr-Digest")
            .Select(preference => preference.Split('=', 2, StringSplitOptions.TrimEntries))
            .Any(parts => parts[0].Trim() == "sha-256" && (parts.Length == 1 || parts[1] != "0"));

    private static byte[] Sha256(OpenContent content, CancellationToken cancellationToken)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceLength);
        try
        {
            for (long offset = 0; offset < content.Size; offset += PieceLength)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var piece = buffer.AsSpan(0, (int)Math.Min(PieceLength, content.Size - offset));
                content.Read(offset, piece);
                sha.AppendData(piece);
            }

            return sha.GetHashAndReset();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
