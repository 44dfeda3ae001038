using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Catalog;

/// <summary>A row of <c>filetransfer.files</c> as it is read.</summary>
internal class FileRow
{
    public const string Columns =
        "f.file_key, f.owner, f.bucket, f.location, f.size, f.fingerprint, f.state, f.generation, f.registered_at, f.removed_at, f.own";

    public required FileKey FileKey { get; init; }
    public required ByteString Owner { get; init; }
    public required ByteString Bucket { get; init; }
    public required ByteString Location { get; init; }
    public required long Size { get; init; }
    public required Fingerprint Fingerprint { get; init; }
    public required FileState State { get; init; }
    public required int Generation { get; init; }
    public required DateTimeOffset RegisteredAt { get; init; }
    public DateTimeOffset? RemovedAt { get; init; }

    /// <summary>This cluster itself wants it, where the query asks for that.</summary>
    public bool Own { get; init; } = true;

    /// <summary>The state of this node's replica, where the query asks for it.</summary>
    public ReplicaState? ReplicaState { get; init; }

    /// <summary>Why it is not stored, where the query asks for it.</summary>
    public string? Reason { get; init; }

    public FileRecord ToRecord() =>
        new(
            FileKey,
            new FileMetadata(Owner, Bucket, Location, (ulong)Size, Fingerprint),
            State,
            Generation,
            RegisteredAt,
            RemovedAt,
            Own
        );

    public ListedFile ToListed() => new(ToRecord(), ReplicaState) { Reason = Reason };
}

/// <summary>A row of <c>filetransfer.files</c> with what a folder remembers beside.</summary>
internal sealed class LedgerRow : FileRow
{
    public const string LedgerColumns = $"{Columns}, f.sequence, r.pinned";

    public long? Sequence { get; init; }
    public required bool Pinned { get; init; }

    /// <summary>The newest mutation of a file that is added is its Add.</summary>
    public LedgerFile ToLedger(FeedHistory history, DateTimeOffset now)
    {
        var added = State == FileState.Added ? history.PositionOf(FileKey, Sequence) : null;
        return new LedgerFile(FileKey, ToRecord().Metadata, Generation, Pinned, added, now);
    }
}
