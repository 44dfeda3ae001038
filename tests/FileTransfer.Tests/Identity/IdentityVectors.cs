using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FileTransfer.Tests.Identity;

/// <summary>Contents, metadata and their names as StorageHub's own library computes them.</summary>
internal sealed record IdentityVectors(
    [property: JsonPropertyName("fingerprints")] IReadOnlyList<FingerprintVector> Fingerprints,
    [property: JsonPropertyName("file_keys")] IReadOnlyList<FileKeyVector> FileKeys
)
{
    public static IdentityVectors All { get; } =
        JsonSerializer.Deserialize<IdentityVectors>(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "vectors", "identity.json"))
        )!;
}

internal sealed record FingerprintVector(
    [property: JsonPropertyName("kind")] string Kind,
    [property: JsonPropertyName("seed")] ulong Seed,
    [property: JsonPropertyName("size")] int Size,
    [property: JsonPropertyName("fingerprint")] string Fingerprint
)
{
    public byte[] Content() =>
        Kind switch
        {
            "zero" => new byte[Size],
            "splitmix64" => SplitMix64.Bytes(Seed, Size),
            _ => throw new InvalidDataException($"The kind {Kind} of {this} is unknown."),
        };
}

internal sealed record FileKeyVector(
    [property: JsonPropertyName("owner")] string Owner,
    [property: JsonPropertyName("bucket_id")] string Bucket,
    [property: JsonPropertyName("location_utf8")] string Location,
    [property: JsonPropertyName("size")] string Size,
    [property: JsonPropertyName("fingerprint")] string Fingerprint,
    [property: JsonPropertyName("scale")] string? Scale,
    [property: JsonPropertyName("file_key")] string FileKey
);

internal static class SplitMix64
{
    /// <summary>The outputs of the generator from this seed on, little-endian, cut to size.</summary>
    public static byte[] Bytes(ulong seed, int size)
    {
        var bytes = new byte[(size + 7) / 8 * 8];
        for (var at = 0; at < bytes.Length; at += 8)
        {
            seed += 0x9e3779b97f4a7c15;
            var z = seed;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
            z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), z ^ (z >> 31));
        }

        return bytes.Length == size ? bytes : bytes[..size];
    }
}
