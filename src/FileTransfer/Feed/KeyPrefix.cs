namespace FileTransfer.Feed;

/// <summary>The file keys that begin with some hex digits: all of a bin's, or a range of them.</summary>
public sealed record KeyPrefix
{
    /// <summary>Digits at most.</summary>
    public const int Longest = 16;

    /// <summary>So many digits more has a range that is a part of this one.</summary>
    public const int Step = 2;

    private const int KeyDigits = 2 * Hash256.Length;

    private KeyPrefix(string digits) => Digits = digits;

    public string Digits { get; }

    /// <summary>The first key that may be in it.</summary>
    public byte[] First => Convert.FromHexString(Digits.PadRight(KeyDigits, '0'));

    /// <summary>What comes before every key in it, and after every key before it.</summary>
    public byte[] Before => First[..^1];

    /// <summary>The last key that may be in it.</summary>
    public byte[] Last => Convert.FromHexString(Digits.PadRight(KeyDigits, 'f'));

    public static KeyPrefix OfBin(int bin) => new($"{bin:x}");

    /// <returns>Null where it is no prefix of a bin's keys.</returns>
    public static KeyPrefix? Parse(string digits, int bin) =>
        digits.Length is > 0 and <= Longest && digits.All(char.IsAsciiHexDigit) && Convert.ToInt32(digits[..1], 16) == bin
            ? new KeyPrefix(digits.ToLowerInvariant())
            : null;

    public bool Has(FileKey key) => key.ToHex().StartsWith(Digits, StringComparison.Ordinal);

    /// <summary>Whether these are the digits of a range that is a part of this one.</summary>
    public bool IsPart(string digits) =>
        digits?.Length == Digits.Length + Step
        && digits.StartsWith(Digits, StringComparison.Ordinal)
        && digits.All(char.IsAsciiHexDigitLower);

    public override string ToString() => Digits;
}
