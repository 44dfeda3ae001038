using FileTransfer.Identity.Hashing;

namespace FileTransfer.Identity;

/// <summary>What a file key is the hash of.</summary>
/// <param name="Owner">The owner's id, 1 to <see cref="MaxIdLength"/> bytes; 32 as a rule.</param>
/// <param name="Bucket">The id of the bucket the file is in, 1 to <see cref="MaxIdLength"/> bytes; 32 as a rule.</param>
/// <param name="Location">The path of the file in its bucket, 1 to <see cref="MaxLocationLength"/> bytes, UTF-8 as a rule.</param>
/// <param name="Size">Bytes of content, at least 1.</param>
/// <param name="Fingerprint">The root of the content's chunk trie.</param>
public sealed record FileMetadata(ByteString Owner, ByteString Bucket, ByteString Location, ulong Size, Fingerprint Fingerprint)
{
    public const int MaxIdLength = 1024;
    public const int MaxLocationLength = 64 * 1024;

    /// <summary>The largest file a node keeps; what a file system can address.</summary>
    public const ulong MaxSize = long.MaxValue;

    /// <summary>BLAKE2b-256 of <see cref="Encode"/>.</summary>
    public FileKey ComputeKey() => new(Blake2b.Hash256(Encode()));

    /// <summary>
    /// SCALE: <c>compact(len owner) ‖ owner ‖ compact(len bucket) ‖ bucket ‖ compact(len location) ‖ location ‖ compact(size) ‖ fingerprint</c>.
    /// </summary>
    public byte[] Encode()
    {
        var encoded = new byte[Owner.Length + Bucket.Length + Location.Length + (4 * ScaleCompact.MaxLength) + Hash256.Length];
        var at = 0;
        foreach (var part in (ReadOnlySpan<ByteString>)[Owner, Bucket, Location])
        {
            at += ScaleCompact.Write(encoded.AsSpan(at), (ulong)part.Length);
            part.Span.CopyTo(encoded.AsSpan(at));
            at += part.Length;
        }

        at += ScaleCompact.Write(encoded.AsSpan(at), Size);
        Fingerprint.Value.CopyTo(encoded.AsSpan(at));
        return encoded[..(at + Hash256.Length)];
    }

    /// <summary>Why this metadata cannot name a file, or null when it can.</summary>
    public string? Fault() =>
        this switch
        {
            { Owner.IsEmpty: true } => "The owner is empty.",
            { Bucket.IsEmpty: true } => "The bucket is empty.",
            { Location.IsEmpty: true } => "The location is empty.",
            { Owner.Length: > MaxIdLength } => $"The owner has {Owner.Length} bytes; at most {MaxIdLength} are allowed.",
            { Bucket.Length: > MaxIdLength } => $"The bucket has {Bucket.Length} bytes; at most {MaxIdLength} are allowed.",
            { Location.Length: > MaxLocationLength } =>
                $"The location has {Location.Length} bytes; at most {MaxLocationLength} are allowed.",
            { Size: 0 } => "The size is 0; an empty file cannot be transferred.",
            { Size: > MaxSize } => $"The size {Size} is larger than any file can be; at most {MaxSize} is allowed.",
            _ => null,
        };
}
