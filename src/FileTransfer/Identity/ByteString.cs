using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace FileTransfer.Identity;

/// <summary>An immutable byte string compared by value: an owner, a bucket or a location.</summary>
/// <remarks>Text form: hex digits with <c>0x</c>; the prefix is optional and any case is read.</remarks>
public readonly struct ByteString : IEquatable<ByteString>
{
    private static readonly UTF8Encoding _strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[]? _bytes;

    public ByteString(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes.ToArray();
    }

    private ByteString(byte[] owned)
    {
        _bytes = owned;
    }

    public int Length => _bytes?.Length ?? 0;

    public bool IsEmpty => Length == 0;

    public ReadOnlySpan<byte> Span => _bytes;

    public static ByteString FromUtf8(string text) => new(Encoding.UTF8.GetBytes(text));

    public static bool TryParseHex([NotNullWhen(true)] string? text, out ByteString octets)
    {
        octets = default;
        if (text is null)
        {
            return false;
        }

        var digits = text.AsSpan();
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            digits = digits[2..];
        }

        if (digits.Length % 2 != 0)
        {
            return false;
        }

        var bytes = new byte[digits.Length / 2];
        if (Convert.FromHexString(digits, bytes, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        octets = new ByteString(owned: bytes);
        return true;
    }

    /// <summary>The text these bytes are in UTF-8, or null where they are not UTF-8.</summary>
    public string? AsUtf8()
    {
        try
        {
            return _strictUtf8.GetString(Span);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    public byte[] ToArray() => Span.ToArray();

    public override string ToString() => "0x" + Convert.ToHexStringLower(Span);

    public bool Equals(ByteString other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is ByteString other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    public static bool operator ==(ByteString left, ByteString right) => left.Equals(right);

    public static bool operator !=(ByteString left, ByteString right) => !left.Equals(right);
}
