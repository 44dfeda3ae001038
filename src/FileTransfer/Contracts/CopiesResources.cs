namespace FileTransfer.Contracts;

/// <summary>What comes first at a node.</summary>
/// <param name="Priority" example="5">−100 to 100; 0 where nothing was said, 1 where an intent asks for a file.</param>
public sealed record PriorityRequest(int? Priority);

/// <summary>What comes first at a node now.</summary>
/// <param name="Files">Files that wait, are under way, have failed or are paused, whose priority was set.</param>
/// <param name="Downloads">Downloads of a lower priority that gave their lanes back.</param>
public sealed record PriorityResource(
    string Node,
    string? Bucket,
    string? Key,
    int Priority,
    bool DryRun,
    long Files,
    int Downloads
);

/// <summary>How many copies of a bucket's files are kept at least.</summary>
/// <param name="Copies" example="2">1 to 1000.</param>
public sealed record CopiesRequest(int? Copies);

/// <summary>How many copies there are of a bucket's files.</summary>
/// <param name="Copies">The floor for what is dropped; null where none was set.</param>
/// <param name="Nodes">Nodes of the cluster.</param>
/// <param name="Files">Files that are added and not removed.</param>
/// <param name="Stored">Their copies, at nodes that are alive.</param>
/// <param name="UnderReplicated">
/// Files of which fewer copies than the floor are at nodes that are alive; without a floor, those that a node is to have and lacks.
/// </param>
/// <param name="Missing">Files that no node that is alive has.</param>
/// <param name="First">The first 100 of the under-replicated ones.</param>
public sealed record BucketHealthResource(
    string Bucket,
    int? Copies,
    int Nodes,
    long Files,
    long Stored,
    long UnderReplicated,
    long Missing,
    IReadOnlyList<UnderReplicatedFile> First
);

/// <summary>A file of which there are too few copies.</summary>
/// <param name="Location">Null where it is not UTF-8.</param>
/// <param name="Copies">How many nodes that are alive have it stored.</param>
public sealed record UnderReplicatedFile(string Key, string? Location, int Copies);

/// <summary>A node that is emptied.</summary>
/// <param name="Since">Since when; null while it is not.</param>
/// <param name="Files">Files of which too few copies are at other nodes that are alive: until there are none, it is still needed.</param>
/// <param name="Wanted">Files that other nodes want now because of what was asked for; that would be, in a dry run.</param>
public sealed record EvacuationResource(string Node, DateTimeOffset? Since, bool DryRun, long Files, long Wanted);
