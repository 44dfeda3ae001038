namespace FileTransfer.Chunks;

/// <summary>A run of chunk ids.</summary>
public readonly record struct ChunkRange(long First, int Count);
