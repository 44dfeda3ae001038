using System.Numerics;
using System.Runtime.Intrinsics;

namespace FileTransfer.Identity.Hashing;

/// <summary>BLAKE2b-256 of independent messages of one length, side by side: one message per 64-bit lane of the machine's vectors.</summary>
/// <remarks>A vector costs the same however many of its lanes are needed, about as much as one message alone.</remarks>
internal static unsafe class Blake2bLanes
{
    public const int MostLanes = 16;

    /// <summary>Messages at once on this machine: 16, 4, 2, or 1 where vectors are not in hardware.</summary>
    public static int Count { get; } =
        Vector512.IsHardwareAccelerated ? 16
        : Vector256.IsHardwareAccelerated ? 4
        : Vector128.IsHardwareAccelerated ? 2
        : 1;

    /// <summary>Hashes the values of whole chunks, ids from <paramref name="firstChunk"/> on, to 32 bytes each.</summary>
    public static void HashChunks(long firstChunk, ReadOnlySpan<byte> chunks, Span<byte> hashes) =>
        HashChunks(Count, firstChunk, chunks, hashes);

    /// <summary>The same for <paramref name="count"/> whole chunks that start <paramref name="stride"/> bytes apart, as they do in frames.</summary>
    public static void HashChunks(long firstChunk, ReadOnlySpan<byte> chunks, int stride, int count, Span<byte> hashes) =>
        HashChunks(Count, firstChunk, chunks, stride, count, hashes);

    /// <summary>
    /// Hashes those of <see cref="Count"/> messages whose bit is set in <paramref name="wanted"/>, to 32 bytes each. The messages
    /// start <paramref name="stride"/> bytes apart; those that are wanted have this length and zeros up to the end of their 128-byte block.
    /// </summary>
    public static void HashPadded(ReadOnlySpan<byte> messages, int stride, int length, uint wanted, Span<byte> hashes) =>
        HashPadded(Count, messages, stride, length, wanted, hashes);

    internal static void HashChunks(int lanes, long firstChunk, ReadOnlySpan<byte> chunks, Span<byte> hashes) =>
        HashChunks(lanes, firstChunk, chunks, ChunkHashes.ChunkSize, chunks.Length / ChunkHashes.ChunkSize, hashes);

    [SkipLocalsInit]
    internal static void HashChunks(
        int lanes,
        long firstChunk,
        ReadOnlySpan<byte> chunks,
        int stride,
        int count,
        Span<byte> hashes
    )
    {
        if (count == 0)
        {
            return;
        }

        Require(stride, ChunkHashes.ChunkSize);
        Require(chunks.Length, ((count - 1) * stride) + ChunkHashes.ChunkSize);
        Require(hashes.Length, count * Hash256.Length);
        var filling = count - (count % lanes);
        fixed (byte* from = chunks)
        fixed (byte* to = hashes)
        {
            HashFullLanes(lanes, firstChunk, from, stride, filling, to);
        }

        if (count - filling == 1)
        {
            ChunkValue.Encode(
                count - 1 + firstChunk,
                chunks.Slice(filling * stride, ChunkHashes.ChunkSize),
                hashes[(filling * Hash256.Length)..]
            );
        }
        else if (count > filling)
        {
            // The lanes left over hash whatever is behind these chunks, for nobody.
            var padded = stackalloc byte[MostLanes * ChunkHashes.ChunkSize];
            var paddedHashes = stackalloc byte[MostLanes * Hash256.Length];
            for (var chunk = filling; chunk < count; chunk++)
            {
                chunks
                    .Slice(chunk * stride, ChunkHashes.ChunkSize)
                    .CopyTo(new Span<byte>(padded + ((chunk - filling) * ChunkHashes.ChunkSize), ChunkHashes.ChunkSize));
            }

            HashFullLanes(lanes, firstChunk + filling, padded, ChunkHashes.ChunkSize, lanes, paddedHashes);
            new ReadOnlySpan<byte>(paddedHashes, (count - filling) * Hash256.Length).CopyTo(hashes[(filling * Hash256.Length)..]);
        }
    }

    internal static void HashPadded(
        int lanes,
        ReadOnlySpan<byte> messages,
        int stride,
        int length,
        uint wanted,
        Span<byte> hashes
    )
    {
        var blocks = Math.Max(1, (length + Blake2b.BlockLength - 1) / Blake2b.BlockLength);
        Require(messages.Length, ((lanes - 1) * stride) + (blocks * Blake2b.BlockLength));
        Require(hashes.Length, lanes * Hash256.Length);
        if (BitOperations.PopCount(wanted) == 1)
        {
            var only = BitOperations.TrailingZeroCount(wanted);
            Blake2b.Hash256(messages.Slice(only * stride, length), hashes[(only * Hash256.Length)..]);
            return;
        }

        fixed (byte* from = messages)
        fixed (byte* to = hashes)
        {
            switch (lanes)
            {
                case 16:
                    HashPadded<SixteenLanes>(from, stride, length, wanted, to);
                    break;
                case 4:
                    HashPadded<Blake2bState<Vector256<ulong>, FourLanes>>(from, stride, length, wanted, to);
                    break;
                default:
                    HashPadded<Blake2bState<Vector128<ulong>, TwoLanes>>(from, stride, length, wanted, to);
                    break;
            }
        }
    }

    private static void HashFullLanes(int lanes, long firstChunk, byte* chunks, int stride, int count, byte* hashes)
    {
        switch (lanes)
        {
            case 16:
                HashFullLanes<SixteenLanes>(firstChunk, chunks, stride, count, hashes);
                break;
            case 4:
                HashFullLanes<Blake2bState<Vector256<ulong>, FourLanes>>(firstChunk, chunks, stride, count, hashes);
                break;
            case 2:
                HashFullLanes<Blake2bState<Vector128<ulong>, TwoLanes>>(firstChunk, chunks, stride, count, hashes);
                break;
            default:
                for (var i = 0; i < count; i++, chunks += stride, hashes += Hash256.Length)
                {
                    var hash = new Span<byte>(hashes, Hash256.Length);
                    ChunkValue.Encode(firstChunk + i, new ReadOnlySpan<byte>(chunks, ChunkHashes.ChunkSize), hash);
                }

                break;
        }
    }

    /// <remarks>
    /// A whole chunk's value is 10 bytes ahead of its chunk, so the seven blocks between the first and the last are read where the
    /// chunk lies; only the ends are put together elsewhere.
    /// </remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HashFullLanes<TState>(long firstChunk, byte* chunks, int stride, int count, byte* hashes)
        where TState : struct, IBlake2bState
    {
        const int HeadLength = ChunkValue.MaxLength - ChunkHashes.ChunkSize;
        const int WholeBlocks = ChunkValue.MaxLength / Blake2b.BlockLength;
        const int RestLength = ChunkValue.MaxLength % Blake2b.BlockLength;

        var state = default(TState);
        var ends = stackalloc byte[MostLanes * Blake2b.BlockLength];
        for (var done = 0; done < count; done += TState.Count, chunks += TState.Count * stride)
        {
            state.Start();
            for (var lane = 0; lane < TState.Count; lane++)
            {
                var block = new Span<byte>(ends + (lane * Blake2b.BlockLength), Blake2b.BlockLength);
                BinaryPrimitives.WriteInt64LittleEndian(block, firstChunk + done + lane);
                BinaryPrimitives.WriteUInt16LittleEndian(block[8..], ChunkValue.WholeChunkCompact);
                new ReadOnlySpan<byte>(chunks + (lane * stride), Blake2b.BlockLength - HeadLength).CopyTo(block[HeadLength..]);
            }

            state.Compress(ends, Blake2b.BlockLength, Blake2b.BlockLength, last: false);
            for (var at = Blake2b.BlockLength; at < WholeBlocks * Blake2b.BlockLength; at += Blake2b.BlockLength)
            {
                state.Compress(chunks + at - HeadLength, stride, (ulong)(at + Blake2b.BlockLength), last: false);
            }

            for (var lane = 0; lane < TState.Count; lane++)
            {
                var block = new Span<byte>(ends + (lane * Blake2b.BlockLength), Blake2b.BlockLength);
                block.Clear();
                new ReadOnlySpan<byte>(chunks + (lane * stride) + ChunkHashes.ChunkSize - RestLength, RestLength).CopyTo(block);
            }

            state.Compress(ends, Blake2b.BlockLength, ChunkValue.MaxLength, last: true);
            state.WriteHashes(~0u, hashes + (done * Hash256.Length));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HashPadded<TState>(byte* messages, int stride, int length, uint wanted, byte* hashes)
        where TState : struct, IBlake2bState
    {
        var state = default(TState);
        state.Start();
        var counted = Blake2b.BlockLength;
        for (; counted < length; counted += Blake2b.BlockLength, messages += Blake2b.BlockLength)
        {
            state.Compress(messages, stride, (ulong)counted, last: false);
        }

        state.Compress(messages, stride, (ulong)length, last: true);
        state.WriteHashes(wanted, hashes);
    }

    private static void Require(int length, int needed)
    {
        if (length < needed)
        {
            throw new ArgumentException($"{length} bytes were given where {needed} are needed.", nameof(length));
        }
    }
}
