using FileTransfer.Identity;

namespace FileTransfer.Cli.Client;

/// <summary>What <c>key --json</c> writes; without the key it is the body of <c>PUT /v1/files/{key}</c>.</summary>
public sealed record KeyLine(
    string Key,
    string Owner,
    string Bucket,
    string? Location,
    string? LocationHex,
    ulong Size,
    string Fingerprint
)
{
    public static KeyLine Of(FileMetadata metadata)
    {
        var (owner, bucket, location, locationHex, size, fingerprint) = Registration.Of(metadata);
        return new KeyLine(metadata.ComputeKey().ToString(), owner, bucket, location, locationHex, size, fingerprint);
    }
}
