namespace FileTransfer.Contracts;

/// <summary>An event as JSON.</summary>
/// <param name="Kind">
/// <c>wanted</c>, <c>foundLocally</c>, <c>connected</c>, <c>proven</c>, <c>sourceChanged</c>, <c>deferred</c>, <c>done</c>, <c>failed</c>,
/// <c>damaged</c> or <c>withdrawn</c>; also the event's name.
/// </param>
/// <param name="Ranges">With <c>proven</c>: the runs of chunks that are new, each <c>[first chunk, count]</c>.</param>
public sealed record EventResource(
    string Key,
    string Kind,
    DateTimeOffset At,
    string? Source,
    long BytesProven,
    long Size,
    string? Reason,
    IReadOnlyList<long[]>? Ranges
);

/// <summary>Where this node's replica of a file stands: the first event of a file's stream, named <c>state</c>.</summary>
/// <param name="State">The replica's state; <c>absent</c> where there is none.</param>
/// <param name="Source">While it downloads: the source that sent last.</param>
/// <param name="Ranges">The runs of chunks proven since the download began here, each <c>[first chunk, count]</c>.</param>
/// <param name="Missed">Events were lost before this one, because they were not read in time.</param>
public sealed record FileStateResource(
    string Key,
    string Node,
    string FileState,
    string State,
    long BytesProven,
    long Size,
    string? Reason,
    int Attempts,
    DateTimeOffset? NextAttemptAt,
    string? Source,
    IReadOnlyList<long[]>? Ranges,
    bool Missed
);

/// <summary>What this node downloads now: the first event of the node's stream, named <c>state</c>.</summary>
/// <param name="Missed">Events were lost before this one, because they were not read in time.</param>
public sealed record NodeStateResource(string Node, IReadOnlyList<DownloadResource> Downloading, bool Missed);

/// <summary>A download under way.</summary>
/// <param name="Ranges">The runs of chunks proven since it began here, each <c>[first chunk, count]</c>.</param>
public sealed record DownloadResource(
    string Key,
    string? Source,
    long BytesProven,
    long Size,
    DateTimeOffset Since,
    IReadOnlyList<long[]> Ranges
);
