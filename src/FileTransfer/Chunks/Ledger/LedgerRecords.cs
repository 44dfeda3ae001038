namespace FileTransfer.Chunks.Ledger;

/// <summary>A place in the feed of the bin that a file's key names: one history of the feed, and a sequence in it.</summary>
public readonly record struct FeedPosition(Guid Epoch, long Sequence);

/// <summary>What a folder remembers of a file whose content it stores: enough to register it again in an empty catalog.</summary>
/// <param name="Generation">Counts registrations after a removal, from 1.</param>
/// <param name="IsPinned">Somebody named the file at this node, so no policy has a say in it.</param>
/// <param name="Added">Where the file's Add is in the feed; null while it is not known.</param>
public sealed record LedgerFile(
    FileKey Key,
    FileMetadata Metadata,
    int Generation,
    bool IsPinned,
    FeedPosition? Added,
    DateTimeOffset StoredAt
)
{
    public Fingerprint Fingerprint => Metadata.Fingerprint;

    public long Size => (long)Metadata.Size;
}

/// <param name="Generation">The number of the registration that was added or removed.</param>
public readonly record struct LedgerMutation(FileKey Key, FeedPosition At, bool IsRemoval, int Generation);

public sealed record LedgerRemoval(FileKey Key, FeedPosition At, DateTimeOffset AppliedAt);

/// <summary>A policy of this node, by the words of the catalog.</summary>
public sealed record LedgerPolicy(
    ByteString Bucket,
    string Kind,
    IReadOnlyList<ByteString> Prefixes,
    IReadOnlyList<ByteString> Exacts
);

/// <param name="Heads">The newest sequence of each bin when it began: what is above belongs to it, what is not to the one before.</param>
public sealed record LedgerEpoch(Guid Epoch, DateTimeOffset BeganAt, IReadOnlyList<long> Heads);

/// <param name="FirstSeen">When this was first found out; kept over restarts.</param>
/// <param name="SeenFor">For how long it has been watched to be so. No clock that jumps makes this longer, nor a time in which nobody looked.</param>
public sealed record UnreferencedContent(Fingerprint Fingerprint, DateTimeOffset FirstSeen, TimeSpan SeenFor);
