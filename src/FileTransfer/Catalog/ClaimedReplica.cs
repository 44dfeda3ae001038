using FileTransfer.Identity;
using FileTransfer.Postgres;

namespace FileTransfer.Catalog;

/// <summary>A replica that a session has claimed: it holds the advisory lock, and its epoch fences every earlier holder.</summary>
/// <param name="Availability">Where else the file is, at the time of the claim.</param>
public sealed record ClaimedReplica(
    FileKey Key,
    Fingerprint Fingerprint,
    long Size,
    long Epoch,
    int Attempts,
    AdvisoryLockKey LockKey,
    Availability Availability
);

/// <summary>What came of publishing a claimed replica.</summary>
/// <param name="Published">False when the claim has ended for this caller: removed, taken over, or the lock is lost. Nothing was changed.</param>
/// <param name="Next">The next claim, where one was asked for.</param>
public sealed record PublishResult(bool Published, ClaimOutcome? Next);

/// <summary>What came of asking the queue for one replica.</summary>
public abstract record ClaimOutcome
{
    private ClaimOutcome() { }

    /// <summary>Nothing is ready.</summary>
    public sealed record Empty : ClaimOutcome;

    /// <summary>Another session holds the lock of the replica that was next; it was put back for a moment. Ask again.</summary>
    public sealed record Busy : ClaimOutcome;

    /// <summary>The replica is the caller's.</summary>
    public sealed record Claimed(ClaimedReplica Replica) : ClaimOutcome;
}
