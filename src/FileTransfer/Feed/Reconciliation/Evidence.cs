using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Feed.Reconciliation;

/// <summary>What a folder has of a file's content.</summary>
public enum HeldContent
{
    /// <summary>Nothing of that name.</summary>
    Absent,

    /// <summary>A file of the right name and size; its bytes were not looked at.</summary>
    Here,

    /// <summary>Its bytes have the fingerprint that its name says.</summary>
    Proven,

    /// <summary>A file of that name that has another size, or other bytes.</summary>
    Damaged,
}

/// <summary>What the folder of one node says of a file.</summary>
/// <param name="File">Its metadata and its Add; null where only its removal is remembered.</param>
/// <param name="Removal">The last removal of it that the node has seen.</param>
public sealed record FolderEvidence(string Node, FileKey Key, LedgerFile? File, LedgerRemoval? Removal, HeldContent Content);

/// <summary>What the catalog says of a file.</summary>
/// <param name="Generation">Counts registrations after a removal; with the state it tells whether anything has happened since.</param>
/// <param name="Last">Where the file's last mutation is in the feed; null where it has none.</param>
public sealed record CatalogEvidence(FileKey Key, Catalog.FileState State, int Generation, FeedPosition? Last);
