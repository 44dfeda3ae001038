namespace FileTransfer.Feed;

public enum MutationKind
{
    Add,
    Remove,
}

/// <summary>An entry of the feed: the file key was added or removed. Its bin is the key's first four bits.</summary>
/// <param name="Sequence">From 1, without gaps, in the order of commits within its bin.</param>
public sealed record Mutation(int Bin, long Sequence, MutationKind Kind, FileKey Key)
{
    /// <summary>What leaves the cluster with it; null where it is read in the cluster, whose catalog has all of that.</summary>
    public MutationDetails? Details { get; init; }
}

/// <param name="Metadata">Of an Add's file; null where an upstream's Remove does not tell it.</param>
/// <param name="Origin">Where it was appended first.</param>
/// <param name="Traceparent">The trace that an Add came with; null where none is recorded.</param>
public sealed record MutationDetails(
    FileMetadata? Metadata,
    MutationOrigin Origin,
    DateTimeOffset AppendedAt,
    string? Traceparent = null
);

/// <summary>The feed that a mutation was appended to first, and its place there; its bin is the key's everywhere.</summary>
public sealed record MutationOrigin(string Cluster, Guid Epoch, long Sequence);
