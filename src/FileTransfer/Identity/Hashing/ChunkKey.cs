using System.Numerics;

namespace FileTransfer.Identity.Hashing;

/// <summary>The first bytes of a key, left-aligned in a number: eight bytes hold every key a file can have.</summary>
internal readonly struct ChunkKey(ulong bytes)
{
    public ChunkKey(in ChunkIdSet ids)
        : this(
            ids.KeyLength > 4
                ? ((ulong)(((ids.KeyLength - 5) << 2) | 3) << 56) | (BinaryPrimitives.ReverseEndianness(ids.First) >> 8)
                : BinaryPrimitives.ReverseEndianness((ids.First << 2) | (uint)BitOperations.Log2((uint)ids.KeyLength))
        ) { }

    public int Nibble(int depth) => (int)(bytes >> (60 - (4 * depth))) & 15;

    /// <summary>Writes the header and the nibbles from <paramref name="from"/> to <paramref name="to"/>, two per byte; an odd count starts with a byte of one.</summary>
    public int WriteNibbles(int from, int to, int kind, Span<byte> destination)
    {
        var count = to - from;
        var nibbles = bytes << (4 * from);
        var at = 1;
        destination[0] = (byte)(kind | count);
        if (count % 2 != 0)
        {
            destination[at++] = (byte)(nibbles >> 60);
            nibbles <<= 4;
        }

        // Eight bytes are fewer than what follows in any node, which overwrites those that are too many.
        BinaryPrimitives.WriteUInt64BigEndian(destination[at..], nibbles);
        return at + (count / 2);
    }
}
