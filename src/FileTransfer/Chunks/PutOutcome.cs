namespace FileTransfer.Chunks;

public enum PutKind
{
    /// <summary>All of the run is on disk, now or already before.</summary>
    Stored,

    /// <summary>A chunk has not the hash that proves it. What preceded it in the run is on disk.</summary>
    WrongChunk,

    /// <summary>A chunk was put before with other bytes. What preceded it in the run is on disk.</summary>
    Conflict,
}

/// <param name="ChunkId">The first offending chunk; -1 where there is none.</param>
public readonly record struct PutOutcome(PutKind Kind, long ChunkId)
{
    public static PutOutcome Stored { get; } = new(PutKind.Stored, -1);
}
