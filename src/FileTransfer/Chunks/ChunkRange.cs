namespace FileTransfer.Chunks;

public readonly record struct ChunkRange(long First, int Count)
{
    public long End => First + Count;

    public override string ToString() => $"{First}+{Count}";
}
