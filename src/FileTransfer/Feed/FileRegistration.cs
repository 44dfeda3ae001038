using System.Text.Json.Serialization;
using FileTransfer.Identity;

namespace FileTransfer.Feed;

/// <summary>Metadata as JSON, the body of a registration.</summary>
/// <param name="Owner">Hex.</param>
/// <param name="Bucket">Hex.</param>
/// <param name="Location">Text; or <paramref name="LocationHex"/> where it is not UTF-8.</param>
/// <param name="Size">Bytes of content, at least 1.</param>
/// <param name="Fingerprint">64 hex digits.</param>
public sealed record FileRegistration(
    string? Owner,
    string? Bucket,
    string? Location,
    string? LocationHex,
    ulong? Size,
    string? Fingerprint
)
{
    /// <summary>The metadata, or the words that say what is wrong with it.</summary>
    public (FileMetadata? Metadata, string? Fault) Read()
    {
        if (!Octets.TryParseHex(Owner, out var owner))
        {
            return (null, HexFault("owner", Owner));
        }

        if (!Octets.TryParseHex(Bucket, out var bucket))
        {
            return (null, HexFault("bucket", Bucket));
        }

        if (ReadLocation(Location, LocationHex, out var location) is { } locationFault)
        {
            return (null, locationFault);
        }

        if (Size is not { } size)
        {
            return (null, "The size is missing; write the number of bytes of content.");
        }

        if (!Identity.Fingerprint.TryParse(Fingerprint, out var fingerprint))
        {
            return (null, $"The fingerprint {Quote(Fingerprint)} is not 64 hex digits.");
        }

        var metadata = new FileMetadata(owner, bucket, location, size, fingerprint);
        return metadata.Fault() is { } fault ? (null, fault) : (metadata, null);
    }

    /// <summary>Reads a location that is given as text or as hex. Returns what is wrong, or null.</summary>
    public static string? ReadLocation(string? text, string? hex, out Octets location)
    {
        location = default;
        if (text is null == hex is null)
        {
            return text is null ? "The location is missing." : "Both location and locationHex are given; write one of them.";
        }

        if (text is not null)
        {
            location = Octets.FromUtf8(text);
            return null;
        }

        return Octets.TryParseHex(hex, out location) ? null : HexFault("locationHex", hex);
    }

    public static string HexFault(string name, string? value) =>
        value is null
            ? $"The {name} is missing; write it in hex."
            : $"The {name} {Quote(value)} is not hex; write an even number of hex digits, with or without 0x.";

    private static string Quote(string? value) =>
        value switch
        {
            null => "(missing)",
            { Length: > 100 } => $"'{value[..100]}…'",
            _ => $"'{value}'",
        };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow
)]
[JsonSerializable(typeof(FileRegistration))]
internal sealed partial class FeedJson : JsonSerializerContext;
