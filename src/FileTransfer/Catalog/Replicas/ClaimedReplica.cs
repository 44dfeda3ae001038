using FileTransfer.Catalog.Providers;

namespace FileTransfer.Catalog.Replicas;

/// <summary>A replica that a session has claimed: it holds the advisory lock, and its epoch fences every earlier holder.</summary>
/// <param name="Generation">The registration of the file that it is claimed for.</param>
/// <param name="Providers">Where else the file is, at the time of the claim.</param>
public sealed record ClaimedReplica(
    FileKey Key,
    Fingerprint Fingerprint,
    long Size,
    long Epoch,
    int Attempts,
    AdvisoryLockKey LockKey,
    int Generation,
    FileProviders Providers
)
{
    /// <summary>What it comes before, in the queue and among the downloads under way.</summary>
    public int Priority { get; init; }

    /// <summary>Which files it belongs with; null where the claim does not say.</summary>
    public BucketId? Bucket { get; init; }

    /// <summary>What a folder remembers of the file, where the claim came with its Add; else it is asked for when it is stored.</summary>
    internal LedgerRow? Row { get; init; }
}

/// <summary>What came of publishing claimed replicas.</summary>
/// <param name="Published">
/// Those that are stored now. The claim of any other has ended for this caller: removed, taken over, or the lock is lost; nothing of it was
/// changed.
/// </param>
/// <param name="Next">The next claim, where one was asked for.</param>
public sealed record PublishResult(IReadOnlySet<FileKey> Published, ClaimOutcome? Next)
{
    /// <summary>The nodes that waited for one of these, to be notified.</summary>
    public IReadOnlyList<NodeId> Woken { get; init; } = [];
}

/// <summary>What came of asking the queue for what is next.</summary>
public abstract record ClaimOutcome
{
    private ClaimOutcome() { }

    /// <summary>Nothing is ready.</summary>
    public sealed record Empty : ClaimOutcome;

    /// <summary>Other sessions hold the locks of the replicas that were next; these were put back for a moment. Ask again.</summary>
    public sealed record Busy : ClaimOutcome;

    /// <summary>No node has what was next; these wait for one now, and nobody's lock was taken. Ask again.</summary>
    public sealed record Deferred : ClaimOutcome;

    /// <summary>The replicas, one at least, are the caller's.</summary>
    /// <param name="MayBeMore">Whether others may be ready that went beyond the limit; else whoever makes one ready says so.</param>
    public sealed record Claimed(IReadOnlyList<ClaimedReplica> Replicas, bool MayBeMore) : ClaimOutcome;
}
