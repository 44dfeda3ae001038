namespace FileTransfer.Feed.Reconciliation;

/// <summary>What is to become of a file.</summary>
public enum VerdictKind
{
    /// <summary>The catalog says what the folders say.</summary>
    InOrder,

    /// <summary>The folders have it, and the catalog does not know it or has an older removal: it is registered and added again.</summary>
    Restore,

    /// <summary>The catalog has it, and a folder has seen a later removal: it is removed again.</summary>
    Remove,

    /// <summary>A removal is the last that is known of it; a folder still has its content.</summary>
    StaysRemoved,

    /// <summary>A folder remembers it, and nobody has its content.</summary>
    Lost,

    /// <summary>What the folders say does not decide it: a person does.</summary>
    Undecided,
}

/// <summary>What is to become of a file, and why.</summary>
/// <param name="Reason">In words, with the nodes that say so.</param>
/// <param name="Holders">The nodes whose folders have the content.</param>
/// <param name="PinnedAt">The nodes at which somebody named the file.</param>
public sealed record Verdict(
    FileKey Key,
    VerdictKind Kind,
    string Reason,
    FileMetadata? Metadata,
    IReadOnlyList<string> Holders,
    IReadOnlyList<string> PinnedAt,
    CatalogEvidence? Catalog
);
