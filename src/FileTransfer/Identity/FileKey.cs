using System.Diagnostics.CodeAnalysis;

namespace FileTransfer.Identity;

/// <summary>The name of a file: BLAKE2b-256 of its SCALE-encoded metadata.</summary>
public readonly record struct FileKey(Hash256 Value) : IComparable<FileKey>
{
    public FileKey(ReadOnlySpan<byte> bytes)
        : this(new Hash256(bytes)) { }

    /// <summary>The bin of the feed that this file's mutations go to: the key's first four bits.</summary>
    public int Bin => Value.FirstNibble;

    public static bool TryParse([NotNullWhen(true)] string? text, out FileKey key)
    {
        var parsed = Hash256.TryParse(text, out var value);
        key = new FileKey(value);
        return parsed;
    }

    public byte[] ToArray() => Value.ToArray();

    public string ToHex() => Value.ToHex();

    public override string ToString() => Value.ToString();

    public int CompareTo(FileKey other) => Value.CompareTo(other.Value);
}
