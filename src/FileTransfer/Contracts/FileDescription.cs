namespace FileTransfer.Contracts;

/// <summary>
/// What <c>filetransfer key --json</c> writes, <c>{key}.json</c> in a static share, a line of its <c>index.ndjson</c>, and the metadata of a file in a batch, where key and
/// fingerprint may be left out; without the key it is the body of <c>PUT /v1/files/{key}</c>.
/// </summary>
/// <param name="Label">In an index: what a person calls the file; its location where that is text, else its key.</param>
public sealed record FileDescription(
    string? Key,
    string? Owner,
    string? Bucket,
    string? Location,
    string? LocationHex,
    ulong? Size,
    string? Fingerprint,
    string? Label = null
)
{
    public static FileDescription Of(FileMetadata metadata)
    {
        var (owner, bucket, location, locationHex, size, fingerprint) = FileRegistration.Of(metadata);
        return new FileDescription(metadata.ComputeKey().ToString(), owner, bucket, location, locationHex, size, fingerprint);
    }

    /// <summary>The metadata of the file, or what is wrong with it.</summary>
    /// <param name="fingerprint">Where none is given.</param>
    public (FileMetadata? Metadata, MetadataFault? Fault) Read(Fingerprint fingerprint) =>
        new FileRegistration(Owner, Bucket, Location, LocationHex, Size, Fingerprint ?? fingerprint.ToString()).Read();
}
