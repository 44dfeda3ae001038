namespace FileTransfer.Contracts;

/// <summary>Metadata as JSON, the body of a registration.</summary>
/// <param name="Owner" example="0x01">Hex.</param>
/// <param name="Bucket" example="0x02">Hex.</param>
/// <param name="Location" example="photos/cat.jpg">Text; or locationHex where it is not UTF-8.</param>
/// <param name="LocationHex">Hex, in place of location.</param>
/// <param name="Size" example="123">Bytes of content, at least 1.</param>
/// <param name="Fingerprint" example="0x03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314">64 hex digits.</param>
public sealed record FileRegistration(
    string? Owner,
    string? Bucket,
    string? Location,
    string? LocationHex,
    ulong? Size,
    string? Fingerprint
)
{
    public static FileRegistration Of(FileMetadata metadata)
    {
        var text = metadata.Location.AsUtf8();
        return new FileRegistration(
            metadata.Owner.ToString(),
            metadata.Bucket.ToString(),
            text,
            text is null ? metadata.Location.ToString() : null,
            metadata.Size,
            metadata.Fingerprint.ToString()
        );
    }

    /// <summary>The metadata, or what is wrong with it.</summary>
    public (FileMetadata? Metadata, MetadataFault? Fault) Read()
    {
        if (!ByteString.TryParseHex(Owner, out var owner))
        {
            return (null, HexFault("owner", Owner));
        }

        if (!ByteString.TryParseHex(Bucket, out var bucket))
        {
            return (null, HexFault("bucket", Bucket));
        }

        if (ReadLocation(Location, LocationHex, out var location) is { } locationFault)
        {
            return (null, locationFault);
        }

        if (Size is not { } size)
        {
            return (null, MetadataFault.Malformed("The size is missing; write the number of bytes of content."));
        }

        if (!Identity.Fingerprint.TryParse(Fingerprint, out var fingerprint))
        {
            return (null, HexFault("fingerprint", Fingerprint, "64 hex digits"));
        }

        var metadata = new FileMetadata(owner, bucket, location, size, fingerprint);
        return metadata.Fault() is { } fault ? (null, MetadataFault.Invalid(fault)) : (metadata, null);
    }

    /// <summary>Reads a location that is given as text or as hex. Returns what is wrong, or null.</summary>
    public static MetadataFault? ReadLocation(string? text, string? hex, out ByteString location)
    {
        location = default;
        if (text is null == hex is null)
        {
            return MetadataFault.Malformed(
                text is null
                    ? "The location is missing; write it as location, or as locationHex where it is not UTF-8."
                    : "Both location and locationHex are given; write one of them."
            );
        }

        if (text is not null)
        {
            location = ByteString.FromUtf8(text);
            return null;
        }

        return ByteString.TryParseHex(hex, out location) ? null : HexFault("locationHex", hex);
    }

    public static MetadataFault HexFault(string name, string? value, string digits = "an even number of hex digits") =>
        value is null
            ? MetadataFault.Malformed($"The {name} is missing; write it in hex.")
            : MetadataFault.Invalid($"The {name} {Quote(value)} is malformed; write {digits}, with or without 0x.");

    private static string Quote(string value) => value.Length > 100 ? $"'{value[..100]}…'" : $"'{value}'";
}

/// <summary>Why metadata was refused.</summary>
/// <param name="Type">The form of the request, or what the metadata says.</param>
/// <param name="Detail">Names the value and says what to write instead.</param>
public sealed record MetadataFault(ProblemType Type, string Detail)
{
    public static MetadataFault Malformed(string detail) => new(ProblemTypes.BadRequest, detail);

    public static MetadataFault Invalid(string detail) => new(ProblemTypes.MetadataInvalid, detail);
}
