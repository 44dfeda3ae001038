using System.Diagnostics.CodeAnalysis;

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

    public static bool TryParseHex([NotNullWhen(true)] string? text, out ByteString bytes)
    {
        var buffer = new byte[text?.Length / 2 ?? 0];
        var isHex = TryReadHex(text, buffer, out var read);
        bytes = isHex ? new ByteString(owned: buffer[..read]) : default;
        return isHex;
    }

    /// <summary>Reads hex digits, after <c>0x</c> or not; false where they are none, or more than there is room for.</summary>
    internal static bool TryReadHex([NotNullWhen(true)] string? text, Span<byte> into, out int read)
    {
        var digits = text.AsSpan();
        digits = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? digits[2..] : digits;
        read = 0;
        return text is not null
            && digits.Length % 2 == 0
            && Convert.FromHexString(digits, into, out _, out read) == System.Buffers.OperationStatus.Done;
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
