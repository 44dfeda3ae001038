using System.Numerics;

namespace FileTransfer.Identity;

/// <summary>SCALE's variable-length unsigned integer.</summary>
/// <remarks>
/// <c>n &lt; 2^6</c>: one byte <c>n&lt;&lt;2</c>; <c>n &lt; 2^14</c>: u16 LE <c>n&lt;&lt;2|1</c>; <c>n &lt; 2^30</c>: u32 LE
/// <c>n&lt;&lt;2|2</c>; else one byte <c>(L-4)&lt;&lt;2|3</c> and the L ≥ 4 significant bytes, little-endian.
/// </remarks>
public static class ScaleCompact
{
    /// <summary>The longest form of a 64-bit number.</summary>
    public const int MaxLength = 9;

    /// <summary>Writes <paramref name="value"/> and returns the number of bytes written, 1 to <see cref="MaxLength"/>.</summary>
    public static int Write(Span<byte> destination, ulong value)
    {
        switch (value)
        {
            case < 1ul << 6:
                destination[0] = (byte)(value << 2);
                return 1;
            case < 1ul << 14:
                BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)((value << 2) | 1));
                return 2;
            case < 1ul << 30:
                BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)((value << 2) | 2));
                return 4;
            default:
                var length = 8 - (BitOperations.LeadingZeroCount(value) / 8);
                destination[0] = (byte)(((length - 4) << 2) | 3);
                for (var i = 0; i < length; i++)
                {
                    destination[1 + i] = (byte)(value >> (8 * i));
                }

                return 1 + length;
        }
    }
}
