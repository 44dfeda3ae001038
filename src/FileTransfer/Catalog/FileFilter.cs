using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Catalog;

/// <summary>Which files a listing asks for.</summary>
/// <param name="State">The state of this node's replica.</param>
/// <param name="LocationPrefix">Bytes that the location begins with.</param>
/// <param name="After">The last file of the page before.</param>
public sealed record FileFilter(
    ByteString? Bucket,
    ByteString? Owner,
    ReplicaState? State,
    ByteString? LocationPrefix,
    FileRecord? After,
    int Limit
);

/// <param name="Next">What the next page comes after; null where nothing follows.</param>
public sealed record FilePage(IReadOnlyList<ListedFile> Files, FileRecord? Next);

/// <summary>A file with the state of this node's replica; null when this node has none.</summary>
public sealed record ListedFile(FileRecord File, ReplicaState? StateHere)
{
    /// <summary>Why it is not stored here, in words.</summary>
    public string? Reason { get; init; }
}
