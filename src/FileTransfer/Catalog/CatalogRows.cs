using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Identity;

namespace FileTransfer.Catalog;

/// <summary>A row of <c>filetransfer.files</c> as it is read.</summary>
internal class FileRow
{
    public const string Columns =
        "f.file_key, f.owner, f.bucket, f.location, f.size, f.fingerprint, f.state, f.generation, f.registered_at, f.removed_at";

    public required byte[] FileKey { get; init; }
    public required byte[] Owner { get; init; }
    public required byte[] Bucket { get; init; }
    public required byte[] Location { get; init; }
    public required long Size { get; init; }
    public required byte[] Fingerprint { get; init; }
    public required string State { get; init; }
    public required int Generation { get; init; }
    public required DateTime RegisteredAt { get; init; }
    public DateTime? RemovedAt { get; init; }

    /// <summary>The state of this node's replica, where the query asks for it.</summary>
    public string? ReplicaState { get; init; }

    public FileRecord ToRecord() =>
        new(
            new FileKey(FileKey),
            new FileMetadata(
                new ByteString(Owner),
                new ByteString(Bucket),
                new ByteString(Location),
                (ulong)Size,
                new Fingerprint(Fingerprint)
            ),
            Enum.Parse<FileState>(State, ignoreCase: true),
            Generation,
            RegisteredAt,
            RemovedAt
        );

    public ListedFile ToListed() => new(ToRecord(), ReplicaState is null ? null : ReplicaTransitions.Parse(ReplicaState));
}

/// <summary>A row of <c>filetransfer.files</c> with what a folder remembers beside.</summary>
internal sealed class LedgerRow : FileRow
{
    public long? Sequence { get; init; }
    public required bool Pinned { get; init; }

    /// <summary>The newest mutation of a file that is added is its Add.</summary>
    public LedgerFile ToLedger(FeedHistory history, DateTimeOffset now)
    {
        var file = ToRecord();
        var added = file.State == Catalog.FileState.Added ? history.PositionOf(file.Key, Sequence) : null;
        return new LedgerFile(file.Key, file.Metadata, file.Generation, Pinned, added, now);
    }
}

/// <summary>A row of <c>filetransfer.replicas</c> as it is read.</summary>
internal sealed class ReplicaRow
{
    public const string Columns =
        "r.node_id, r.file_key, r.state, r.epoch, r.attempts, r.next_attempt_at, r.holder, r.bytes_proven, r.reason, r.changed_at, r.waits_for";

    public required string NodeId { get; init; }
    public required byte[] FileKey { get; init; }
    public required string State { get; init; }
    public required long Epoch { get; init; }
    public required int Attempts { get; init; }
    public DateTime? NextAttemptAt { get; init; }
    public string? Holder { get; init; }
    public required long BytesProven { get; init; }
    public string? Reason { get; init; }
    public required DateTime ChangedAt { get; init; }
    public string? WaitsFor { get; init; }

    public ReplicaRecord ToRecord() =>
        new(
            new NodeId(NodeId),
            new FileKey(FileKey),
            ReplicaTransitions.Parse(State),
            Epoch,
            Attempts,
                // Npgsql reads infinity as the largest DateTime, of no kind an offset could be taken from.
                NextAttemptAt is null
                    ? null
                : NextAttemptAt.Value == DateTime.MaxValue ? DateTimeOffset.MaxValue
                : NextAttemptAt.Value,
            Holder,
            BytesProven,
            Reason,
            ChangedAt,
            // What it waited for last stays in its row while it does not wait.
            State == "wanted"
            && NextAttemptAt is not null
                ? WaitConditions.Parse(WaitsFor)
                : WaitCondition.Time
        );
}
