namespace FileTransfer.Chunks;

/// <summary>A run of chunk ids.</summary>
public readonly record struct ChunkRange(long First, int Count)
{
    /// <summary>The id after the last.</summary>
    public long End => First + Count;

    public override string ToString() => $"{First}+{Count}";
}
