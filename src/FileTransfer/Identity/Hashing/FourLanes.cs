using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FileTransfer.Identity.Hashing;

/// <summary>Four messages at once, as with AVX2.</summary>
internal readonly unsafe struct FourLanes : ILanes<Vector256<ulong>>
{
    public static int Count => 4;

    public static Vector256<ulong> Broadcast(ulong value) => Vector256.Create(value);

    public static Vector256<ulong> Add(Vector256<ulong> left, Vector256<ulong> right) => left + right;

    public static Vector256<ulong> Xor(Vector256<ulong> left, Vector256<ulong> right) => left ^ right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> RotateRight32(Vector256<ulong> value) =>
        Avx512F.VL.IsSupported
            ? Avx512F.VL.RotateRight(value, 32)
            : Vector256.Shuffle(value.AsUInt32(), Vector256.Create(1u, 0, 3, 2, 5, 4, 7, 6)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> RotateRight24(Vector256<ulong> value) =>
        Avx512F.VL.IsSupported
            ? Avx512F.VL.RotateRight(value, 24)
            : Vector256
                .Shuffle(
                    value.AsByte(),
                    Vector256.Create(0x0201000706050403ul, 0x0a09080f0e0d0c0b, 0x1211101716151413, 0x1a19181f1e1d1c1b).AsByte()
                )
                .AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> RotateRight16(Vector256<ulong> value) =>
        Avx512F.VL.IsSupported
            ? Avx512F.VL.RotateRight(value, 16)
            : Vector256
                .Shuffle(
                    value.AsByte(),
                    Vector256.Create(0x0100070605040302ul, 0x09080f0e0d0c0b0a, 0x1110171615141312, 0x19181f1e1d1c1b1a).AsByte()
                )
                .AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> RotateRight63(Vector256<ulong> value) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(value, 63) : (value >>> 63) | (value + value);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LoadWords(byte* first, nint stride, Vector256<ulong>* words)
    {
        for (var quarter = 0; quarter < 4; quarter++, first += sizeof(Vector256<ulong>), words += 4)
        {
            var (r0, r1) = SwapOnes(Vector256.Load((ulong*)first), Vector256.Load((ulong*)(first + stride)));
            var (r2, r3) = SwapOnes(
                Vector256.Load((ulong*)(first + (2 * stride))),
                Vector256.Load((ulong*)(first + (3 * stride)))
            );
            (words[0], words[2]) = SwapTwos(r0, r2);
            (words[1], words[3]) = SwapTwos(r1, r3);
        }
    }

    // A transposition in two steps; each swaps squares of 1 and 2 words across the diagonal of two rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<ulong>, Vector256<ulong>) SwapOnes(Vector256<ulong> a, Vector256<ulong> b)
    {
        var odd = Vector256.Create(0, ~0ul, 0, ~0ul);
        return (
            Vector256.ConditionalSelect(odd, Vector256.Shuffle(b, Vector256.Create(0ul, 0, 2, 2)), a),
            Vector256.ConditionalSelect(odd, b, Vector256.Shuffle(a, Vector256.Create(1ul, 1, 3, 3)))
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<ulong>, Vector256<ulong>) SwapTwos(Vector256<ulong> a, Vector256<ulong> b) =>
        (Vector256.Create(a.GetLower(), b.GetLower()), Vector256.Create(a.GetUpper(), b.GetUpper()));
}
