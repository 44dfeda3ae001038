namespace FileTransfer.Chunks.Frames;

/// <summary>The wire form of a chunk: <c>u64 LE chunk id ‖ chunk bytes</c>, back to back, without anything between or around.</summary>
/// <remarks>
/// A chunk has <see cref="ChunkLength"/> bytes, the last one of a file possibly fewer, so in a body of all chunks in order frame
/// <c>i</c> starts at <c>i × <see cref="Length"/></c>. Only the final frame of a body may be shorter than that.
/// </remarks>
public static class ChunkFrame
{
    public const int IdLength = 8;
    public const int ChunkLength = 1024;

    public const int Length = IdLength + ChunkLength;

    public static long ChunkCount(long size) => (size / ChunkLength) + (size % ChunkLength == 0 ? 0 : 1);

    /// <summary>Bytes of the body that holds every chunk of a content once.</summary>
    public static long BodyLength(long size) => checked(size + (ChunkCount(size) * IdLength));

    /// <summary>Bytes of one chunk: <see cref="ChunkLength"/>, or what is left for the last.</summary>
    public static int ChunkLengthOf(long chunkId, long size) => (int)Math.Min(ChunkLength, size - (chunkId * ChunkLength));
}

/// <param name="Bytes">Their bytes without ids; each has 1024, the last chunk of the file possibly fewer.</param>
public readonly record struct ChunkRun(long FirstChunk, ReadOnlyMemory<byte> Bytes)
{
    public int ChunkCount => (Bytes.Length + ChunkFrame.ChunkLength - 1) / ChunkFrame.ChunkLength;
}
