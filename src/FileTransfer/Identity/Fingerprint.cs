using System.Diagnostics.CodeAnalysis;

namespace FileTransfer.Identity;

/// <summary>The name of a content: the root of its chunk trie.</summary>
public readonly record struct Fingerprint(Hash256 Value) : IComparable<Fingerprint>
{
    public Fingerprint(ReadOnlySpan<byte> bytes)
        : this(new Hash256(bytes)) { }

    public static bool TryParse([NotNullWhen(true)] string? text, out Fingerprint fingerprint)
    {
        var parsed = Hash256.TryParse(text, out var value);
        fingerprint = new Fingerprint(value);
        return parsed;
    }

    public byte[] ToArray() => Value.ToArray();

    public string ToHex() => Value.ToHex();

    public override string ToString() => Value.ToString();

    public int CompareTo(Fingerprint other) => Value.CompareTo(other.Value);
}
