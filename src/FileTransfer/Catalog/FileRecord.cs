using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Catalog;

/// <summary>What the cluster says of a file.</summary>
public enum FileState
{
    /// <summary>Known by its metadata; the leader does not have the content yet.</summary>
    Registered,

    /// <summary>The leader has it and its Add is in the feed.</summary>
    Added,

    /// <summary>Removed; the row stays to say so.</summary>
    Removed,
}

/// <summary>A file of the cluster.</summary>
/// <param name="Generation">Counts registrations after a removal, from 1.</param>
/// <param name="IsOwn">This cluster itself wants it to exist; else it is here for upstreams alone.</param>
public sealed record FileRecord(
    FileKey Key,
    FileMetadata Metadata,
    FileState State,
    int Generation,
    DateTimeOffset RegisteredAt,
    DateTimeOffset? RemovedAt,
    bool IsOwn = true
)
{
    public long Size => (long)Metadata.Size;

    public Fingerprint Fingerprint => Metadata.Fingerprint;
}

/// <summary>One node's copy of one file.</summary>
/// <param name="NextAttemptAt">Null: ready now; <see cref="DateTimeOffset.MaxValue"/>: waits for what <paramref name="WaitsFor"/> says.</param>
/// <param name="Reason">Why it is not stored, for a person; nothing is decided by it.</param>
/// <param name="WaitsFor">What ends its wait sooner than its next attempt.</param>
public sealed record ReplicaRecord(
    NodeId Node,
    FileKey Key,
    ReplicaState State,
    long Epoch,
    int Attempts,
    DateTimeOffset? NextAttemptAt,
    string? Holder,
    long BytesProven,
    string? Reason,
    DateTimeOffset ChangedAt,
    WaitCondition WaitsFor = WaitCondition.Time
)
{
    /// <summary>What a row <c>r</c> is read from; what a replica waited for last stays in its row while it does not wait.</summary>
    internal const string Columns = """
        r.node_id AS node, r.file_key AS key, r.state, r.epoch, r.attempts, r.next_attempt_at, r.holder, r.bytes_proven, r.reason, r.changed_at,
        CASE WHEN r.state = 'wanted' AND r.next_attempt_at IS NOT NULL THEN coalesce(r.waits_for, 'time') ELSE 'time' END AS waits_for
        """;
}

/// <summary>A file that a node has stored, and the content that it should find under it.</summary>
public sealed record StoredReplica(FileKey Key, Fingerprint Fingerprint, long Size);
