namespace FileTransfer.Contracts;

/// <summary>The bodies with contents that come in at a node now.</summary>
public sealed record UploadsResource(string Node, IReadOnlyList<UploadResource> Uploads);

/// <summary>A body that comes in.</summary>
/// <param name="Key">The file, where it is sent under its key.</param>
/// <param name="Location">Its location, where that is sent with it; both are null of a batch.</param>
/// <param name="Client">The address that it comes from.</param>
/// <param name="Token">The name of the token that was shown.</param>
/// <param name="BytesReceived">What has come of the body.</param>
/// <param name="Length">How long the body says it is; null where it does not.</param>
/// <param name="SilentSeconds">For how long its next byte has been waited for.</param>
public sealed record UploadResource(
    string? Key,
    string? Location,
    string? Client,
    string? Token,
    DateTimeOffset Since,
    long BytesReceived,
    long? Length,
    double SilentSeconds
);
