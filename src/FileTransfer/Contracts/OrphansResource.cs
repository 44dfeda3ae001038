namespace FileTransfer.Contracts;

/// <summary>The contents that no file of the node refers to.</summary>
/// <param name="HeldSince">Since when nothing is collected; null while collection goes on.</param>
/// <param name="HeldBecause">Why nothing is collected.</param>
/// <param name="WaitsBecause">Why contents are kept until a person decides, and what to do; null where none are.</param>
/// <param name="Count" example="2">How many there are.</param>
/// <param name="Bytes" example="4096">Their bytes.</param>
/// <param name="Orphans">The first 10,000, those that were seen first first.</param>
public sealed record OrphansResource(
    DateTimeOffset? HeldSince,
    string? HeldBecause,
    string? WaitsBecause,
    int Count,
    long Bytes,
    IReadOnlyList<OrphanResource> Orphans
);

/// <summary>A content that no file of the node refers to.</summary>
/// <param name="FirstSeen">When this was first found out.</param>
/// <param name="Due">Whether the grace time is over.</param>
/// <param name="Unexplained">The catalog has never heard of one of its files.</param>
/// <param name="Files">The files that the node's folder remembers to be of it.</param>
public sealed record OrphanResource(
    string Fingerprint,
    long Size,
    DateTimeOffset FirstSeen,
    bool Due,
    bool Unexplained,
    IReadOnlyList<OrphanFileResource> Files
);

/// <summary>A file by its key and its name in its bucket.</summary>
/// <param name="Location">Null where it is not UTF-8.</param>
public sealed record OrphanFileResource(string Key, string Bucket, string? Location);

/// <summary>What was deleted.</summary>
public sealed record OrphansDiscarded(int Count, long Bytes);
