using FileTransfer.Chunks;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Push;

/// <summary>Brings contents into the store that came with a page of an upstream's feed, and has the page applied in the commit that calls them stored.</summary>
/// <exception cref="OutOfOrderException">The page is not the next one of its bin: nothing was applied.</exception>
public delegate Task PublishShipped(
    UpstreamOptions upstream,
    FeedPage page,
    IReadOnlyCollection<ShippedContent> contents,
    CancellationToken cancellationToken
);

/// <summary>The content of a file, as it came with the file's Add.</summary>
public sealed record ShippedContent(FileKey Key, FileMetadata Metadata, ProvenBytes Bytes);

/// <summary>What was shipped does not follow what is applied.</summary>
public sealed class OutOfOrderException() : Exception("The shipment does not follow what is applied.");
