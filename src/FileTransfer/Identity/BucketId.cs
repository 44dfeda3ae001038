using System.Diagnostics.CodeAnalysis;

namespace FileTransfer.Identity;

/// <summary>Which files belong together: 1 to <see cref="FileMetadata.MaxIdLength"/> bytes, in text as hex digits.</summary>
public readonly record struct BucketId(ByteString Value)
{
    public static bool TryParse([NotNullWhen(true)] string? text, out BucketId bucket)
    {
        var isHex = ByteString.TryParseHex(text, out var value);
        bucket = new BucketId(value);
        return isHex && value.Length is > 0 and <= FileMetadata.MaxIdLength;
    }

    public override string ToString() => Value.ToString();
}
