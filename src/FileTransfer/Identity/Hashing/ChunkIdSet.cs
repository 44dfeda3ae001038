using System.Numerics;

namespace FileTransfer.Identity.Hashing;

/// <summary>
/// The chunk ids below one node of the trie, without a list of them: the ids of a range whose bits under <c>mask</c> are
/// <c>pattern</c>. All their keys have the same length and the same first <see cref="Depth"/> nibbles.
/// </summary>
/// <remarks>
/// A key is SCALE's compact form of the id, nibbles high first. For ids below 2^30 that is <c>id &lt;&lt; 2 | mode</c>, little-endian in
/// 1, 2 or 4 bytes; above it is a byte that counts, and the id itself. So each nibble of a key is four neighbouring bits of the id,
/// and a child of a node is its set with four more bits fixed.
/// </remarks>
internal readonly struct ChunkIdSet
{
    /// <summary>The first id whose key has four bytes, and the first one beyond those.</summary>
    public const ulong FirstOfFourBytes = 1 << 14;
    public const ulong EndOfFourBytes = 1 << 30;

    private readonly ulong _end;
    private readonly ulong _mask;
    private readonly ulong _pattern;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ChunkIdSet(ulong first, ulong end, ulong mask, ulong pattern, int depth, int keyLength)
    {
        First = FirstAtLeast(first, mask, pattern);
        _end = end;
        _mask = mask;
        _pattern = pattern;
        Depth = depth;
        KeyLength = keyLength;
    }

    /// <summary>The smallest id of the set, when it is not empty.</summary>
    public ulong First { get; }

    public int Depth { get; }

    /// <summary>Bytes of each key.</summary>
    public int KeyLength { get; }

    public bool IsEmpty => First >= _end;

    /// <summary>Where the next nibble is in an id. Bytes are little-endian with the high nibble first; before the id come 2 bits of mode, or 8 of length.</summary>
    private int Shift => (Depth / 2 * 8) + (Depth % 2 == 0 ? 4 : 0) - (KeyLength > 4 ? 8 : 2);

    // From one member to the next: count on in the free bits, carrying over the fixed ones.
    public bool IsSingle => ((((First | _mask) + 1) & ~_mask) | _pattern) >= _end;

    /// <summary>The ids below <paramref name="chunkCount"/> whose keys start with these two nibbles.</summary>
    public static ChunkIdSet StartingWith(int firstNibble, int secondNibble, ulong chunkCount)
    {
        var mode = secondNibble & 3;
        if (mode != 3)
        {
            var (from, end, keyLength) = mode switch
            {
                0 => (0ul, 1ul << 6, 1),
                1 => (1ul << 6, FirstOfFourBytes, 2),
                _ => (FirstOfFourBytes, EndOfFourBytes, 4),
            };
            var lowBits = (ulong)((firstNibble << 2) | (secondNibble >> 2));
            return new ChunkIdSet(from, Math.Min(end, chunkCount), 63, lowBits, 2, keyLength);
        }

        // The counting byte is (L-4)<<2|3; eight bytes of id are more than a file can have chunks.
        var length = 4 + ((firstNibble << 2) | (secondNibble >> 2));
        return length > 7
            ? new ChunkIdSet(0, 0, 0, 0, 2, 0)
            : new ChunkIdSet(
                Math.Max(EndOfFourBytes, 1ul << (8 * (length - 1))),
                Math.Min(1ul << (8 * length), chunkCount),
                0,
                0,
                2,
                1 + length
            );
    }

    /// <summary>The ids of this set whose next nibble is <paramref name="nibble"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ChunkIdSet Child(int nibble)
    {
        var shift = Shift;
        return new ChunkIdSet(First, _end, _mask | (15ul << shift), _pattern | ((ulong)nibble << shift), Depth + 1, KeyLength);
    }

    /// <summary>The child that this id is in, or would be.</summary>
    public ChunkIdSet Towards(ulong id) => Child((int)(id >> Shift) & 15);

    /// <summary>The smallest number from <paramref name="from"/> on whose bits under <paramref name="mask"/> are <paramref name="pattern"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong FirstAtLeast(ulong from, ulong mask, ulong pattern)
    {
        var candidate = (from & ~mask) | pattern;
        if (candidate == from)
        {
            return from;
        }

        // The highest bit that differs is a fixed one. Above it the candidate is right, below it the free bits start from 0.
        var differing = 1ul << BitOperations.Log2(candidate ^ from);
        var below = differing - 1;
        return candidate > from
            ? (candidate & ~(below & ~mask))
            : ((((candidate | mask | below) + 1) & ~mask & ~below) | pattern);
    }
}
