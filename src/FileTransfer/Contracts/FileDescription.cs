namespace FileTransfer.Contracts;

/// <summary>
/// What <c>filetransfer key --json</c> writes, and <c>{key}.json</c> in a static share; without the key it is the body of
/// <c>PUT /v1/files/{key}</c>.
/// </summary>
public sealed record FileDescription(
    string Key,
    string? Owner,
    string? Bucket,
    string? Location,
    string? LocationHex,
    ulong? Size,
    string? Fingerprint
)
{
    public static FileDescription Of(FileMetadata metadata)
    {
        var (owner, bucket, location, locationHex, size, fingerprint) = FileRegistration.Of(metadata);
        return new FileDescription(metadata.ComputeKey().ToString(), owner, bucket, location, locationHex, size, fingerprint);
    }
}
