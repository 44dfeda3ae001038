namespace FileTransfer.Contracts;

/// <summary>How far a cluster's feed goes.</summary>
/// <param name="Cluster">The cluster whose feed it is.</param>
/// <param name="Epoch">Names the history that the sequences belong to.</param>
/// <param name="Bins">All 16, in their order.</param>
public sealed record SyncCursors(string Cluster, Guid Epoch, IReadOnlyList<BinCursor> Bins);

/// <summary>How far one bin of a feed goes.</summary>
/// <param name="Cursor">The newest sequence; 0 before the first.</param>
/// <param name="RetainedFrom">The first sequence that can still be asked for.</param>
/// <param name="Digest">Of the set of the bin's files as of the cursor: equal where the sets are.</param>
public sealed record BinCursor(int Bin, long Cursor, long RetainedFrom, string Digest);

/// <summary>Mutations of one bin that follow each other.</summary>
/// <param name="From">The first sequence that was asked for.</param>
/// <param name="Topmost">The last sequence that this answers for; below <paramref name="From"/> where there was none.</param>
/// <param name="Digest">Of the set of the bin's files as of <paramref name="Topmost"/>, where that is the cursor.</param>
public sealed record SyncPage(
    Guid Epoch,
    int Bin,
    long From,
    long Topmost,
    IReadOnlyList<SyncMutation> Mutations,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Digest = null
);

/// <summary>What the parts of a range of one bin's keys have.</summary>
/// <param name="Cursor">The bin's newest sequence when that was read.</param>
/// <param name="Ranges">Those that have files, in the order of their keys: two hex digits longer than what was asked for.</param>
public sealed record SyncRanges(Guid Epoch, int Bin, long Cursor, IReadOnlyList<SyncRange> Ranges);

/// <param name="Prefix">What the keys begin with, in hex.</param>
/// <param name="Digest">Equal where the files are, and the clusters of their origins.</param>
public sealed record SyncRange(string Prefix, long Files, string Digest);

/// <summary>A page of the files of one bin.</summary>
/// <param name="Cursor">The bin's newest sequence when the page was read.</param>
/// <param name="Next">The value of <c>after</c> for the next page; null on the last one.</param>
public sealed record SyncFiles(Guid Epoch, int Bin, long Cursor, IReadOnlyList<SyncFile> Files, string? Next);

/// <param name="Origin">Of the file's newest Add.</param>
public sealed record SyncFile(string Key, FileRegistration Metadata, SyncOrigin Origin);

/// <summary>A mutation as clusters pass it on.</summary>
/// <param name="Kind"><c>add</c> or <c>remove</c>.</param>
/// <param name="Metadata">Of an Add: its hash is the key.</param>
/// <param name="Traceparent">Of an Add: the W3C trace that it came with, where that is recorded.</param>
public sealed record SyncMutation(
    long Sequence,
    string Kind,
    string Key,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] FileRegistration? Metadata,
    SyncOrigin Origin,
    DateTimeOffset AppendedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Traceparent = null
)
{
    public const string Add = "add";
    public const string Remove = "remove";
}

/// <summary>The place that a mutation had in the feed it was appended to first; it stays the same from cluster to cluster.</summary>
public sealed record SyncOrigin(string Cluster, Guid Epoch, int Bin, long Sequence);
