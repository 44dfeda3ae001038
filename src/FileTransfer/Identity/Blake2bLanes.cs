namespace FileTransfer.Identity;

/// <summary>BLAKE2b-256 of several independent messages of one length, side by side.</summary>
internal static class Blake2bLanes
{
    /// <summary>
    /// Hashes the values of <paramref name="count"/> whole chunks, ids from <paramref name="firstChunk"/> on, to 32 bytes each.
    /// </summary>
    public static void HashChunks(long firstChunk, ReadOnlySpan<byte> chunks, int count, Span<byte> hashes)
    {
        for (var i = 0; i < count; i++)
        {
            ChunkValue.Encode(firstChunk + i, chunks.Slice(i * ChunkHashes.ChunkSize, ChunkHashes.ChunkSize), hashes[(32 * i)..]);
        }
    }

    /// <summary>
    /// Hashes <paramref name="count"/> messages of <paramref name="length"/> bytes, which start <paramref name="stride"/> bytes apart.
    /// Each is followed by zeros up to the end of its 128-byte block.
    /// </summary>
    public static void HashPadded(ReadOnlySpan<byte> messages, int stride, int length, int count, Span<byte> hashes)
    {
        for (var i = 0; i < count; i++)
        {
            Blake2b.Hash256(messages.Slice(i * stride, length), hashes[(32 * i)..]);
        }
    }
}
