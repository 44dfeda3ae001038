namespace FileTransfer.Contracts;

/// <summary>A file as JSON. Bytes are hex with <c>0x</c>; sizes are bytes; times are UTC.</summary>
/// <param name="Location">The location as text; left out where it is not UTF-8.</param>
/// <param name="LocationHex">The location in hex, where it is not UTF-8.</param>
/// <param name="FileState"><c>registered</c> (the leader has no content yet), <c>added</c> or <c>removed</c>.</param>
/// <param name="State">This node's replica: <c>wanted</c>, <c>downloading</c>, <c>stored</c>, <c>removing</c>, <c>failed</c>, <c>paused</c> or <c>absent</c>.</param>
/// <param name="Replicas">Every node's replica; left out in listings.</param>
/// <param name="NotWantedAt">The nodes that have no replica because their policy does not want the file; only where one file is asked for.</param>
/// <param name="Reason">In listings: why it is not stored at this node, in words.</param>
public sealed record FileResource(
    string Key,
    string Owner,
    string Bucket,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Location,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? LocationHex,
    long Size,
    string Fingerprint,
    string FileState,
    DateTimeOffset RegisteredAt,
    DateTimeOffset? RemovedAt,
    string State,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ReplicaResource>? Replicas,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? NotWantedAt = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null
)
{
    public const string Absent = "absent";

    [JsonIgnore]
    public bool IsRemoved => FileState == "removed";

    /// <summary>The metadata, or null where it is not well formed.</summary>
    public FileMetadata? ToMetadata() =>
        new FileRegistration(Owner, Bucket, Location, LocationHex, (ulong)Size, Fingerprint).Read().Metadata;
}

/// <summary>A file that this cluster does not want any more, and that stays.</summary>
/// <param name="KeptFor">The upstreams that have it.</param>
public sealed record KeptFile(string Key, IReadOnlyList<string> KeptFor);

/// <summary>One node's replica as JSON.</summary>
/// <param name="Progress">Proven part of the content, 0 to 1.</param>
/// <param name="Reason">Why it is not stored, in words.</param>
/// <param name="NextAttemptAt">When it is tried again; null when it is not waiting for a time.</param>
public sealed record ReplicaResource(
    string Node,
    string State,
    long BytesProven,
    double Progress,
    string? Reason,
    int Attempts,
    DateTimeOffset? NextAttemptAt,
    long Epoch,
    DateTimeOffset ChangedAt
);

/// <summary>A page of a listing.</summary>
/// <param name="Next">The value of <c>after</c> for the next page; null on the last one.</param>
public sealed record FileListing(IReadOnlyList<FileResource> Files, string? Next);

/// <summary>Which files are tried again at this node.</summary>
/// <param name="Retried">How many: those that had failed, and those that waited after an attempt that failed.</param>
public sealed record RetriedResource(string Node, string? Cause, int Retried);
