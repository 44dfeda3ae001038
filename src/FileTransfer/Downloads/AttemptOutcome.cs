using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads;

/// <summary>What one try to bring a content here came to.</summary>
public abstract record AttemptOutcome
{
    private AttemptOutcome() { }

    /// <summary>The content is proven, and in the store already.</summary>
    public sealed record Found : AttemptOutcome;

    /// <summary>The content is proven, in its partial.</summary>
    public sealed record Proven(PartialFile Partial) : AttemptOutcome;

    /// <summary>The content is proven, in memory.</summary>
    public sealed record ProvenInMemory(ProvenBytes Bytes) : AttemptOutcome;

    /// <summary>Nothing can be done for it now, which says nothing against the file. What was proven is kept.</summary>
    /// <param name="BytesProven">Null where nobody has looked.</param>
    /// <param name="Wakes">How often sources had come back when this was decided.</param>
    public sealed record Parked(ParkKind Kind, string Reason, TimeSpan RetryIn, long? BytesProven, long Wakes) : AttemptOutcome;

    /// <summary>There is no room for what is missing; what was proven is kept.</summary>
    public sealed record NoRoom(string Reason, long BytesProven) : AttemptOutcome;

    /// <summary>Its sources failed; what was proven is kept.</summary>
    /// <param name="HasAsked">A source was asked for something; where none was, there was no attempt.</param>
    /// <param name="RetryIn">When to try again; null = by the number of failures.</param>
    public sealed record Failed(
        string Reason,
        long? BytesProven,
        FailureCause Cause,
        bool HasAsked = true,
        TimeSpan? RetryIn = null
    ) : AttemptOutcome;
}

/// <summary>How far a transfer is; read by the lane while it runs.</summary>
public sealed class TransferProgress
{
    private PartialFile? _partial;
    private long _found;

    public long BytesProven =>
        _partial is { } partial ? (partial.HashesProven ? partial.BytesProven : 0) : Interlocked.Read(ref _found);

    /// <summary>So many bytes of a content that was here already are proven.</summary>
    public void Proven(long found) => Interlocked.Exchange(ref _found, found);

    public void Follow(PartialFile partial) => _partial = partial;
}
