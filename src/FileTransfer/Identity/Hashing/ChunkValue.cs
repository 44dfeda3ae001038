namespace FileTransfer.Identity.Hashing;

/// <summary>What the chunk trie keeps for a chunk: <c>u64 LE chunk id ‖ compact(length) ‖ bytes</c>.</summary>
internal static class ChunkValue
{
    /// <summary>A value shorter than this is kept itself, where its hash would be no shorter.</summary>
    public const int ShortestHashed = 33;

    public const int MaxLength = 8 + 2 + ChunkHashes.ChunkSize;

    /// <summary>compact(1024) as the little-endian u16 it is.</summary>
    public const ushort WholeChunkCompact = (ChunkHashes.ChunkSize << 2) | 1;

    /// <summary>The bytes that stand for a chunk of this length: its hash, or the value itself where that is shorter than 33 bytes.</summary>
    public static int EncodedLength(int chunkLength) => IsCarried(chunkLength) ? 9 + chunkLength : Hash256.Length;

    /// <summary>Whether a chunk of this length is kept itself instead of its hash.</summary>
    public static bool IsCarried(int chunkLength) => 9 + chunkLength < ShortestHashed;

    /// <summary>Writes what stands for this chunk and returns its length.</summary>
    public static int Encode(long chunkId, ReadOnlySpan<byte> chunk, Span<byte> destination)
    {
        if (IsCarried(chunk.Length))
        {
            return Write(chunkId, chunk, destination);
        }

        Span<byte> value = stackalloc byte[MaxLength];
        Blake2b.Hash256(value[..Write(chunkId, chunk, value)], destination);
        return Hash256.Length;
    }

    private static int Write(long chunkId, ReadOnlySpan<byte> chunk, Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination, chunkId);
        var at = 8 + ScaleCompact.Write(destination[8..], (ulong)chunk.Length);
        chunk.CopyTo(destination[at..]);
        return at + chunk.Length;
    }
}
