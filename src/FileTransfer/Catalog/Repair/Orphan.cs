using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Catalog.Repair;

/// <summary>A content that no file of this node refers to.</summary>
/// <param name="Files">The files that the folder remembers to be of it.</param>
/// <param name="IsUnexplained">The catalog has never heard of one of its files: it may be an older one, or another.</param>
public sealed record Orphan(
    UnreferencedContent Content,
    long Size,
    IReadOnlyList<LedgerFile> Files,
    bool IsDue,
    bool IsUnexplained
);
