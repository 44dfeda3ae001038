using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FileTransfer.Identity.Hashing;

/// <summary>Eight messages in one vector, as with AVX-512: half of <see cref="SixteenLanes"/>.</summary>
internal static unsafe class EightLanes
{
    public const int Count = 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> RotateRight32(Vector512<ulong> value) =>
        Avx512F.IsSupported ? Avx512F.RotateRight(value, 32) : (value >>> 32) | (value << 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> RotateRight24(Vector512<ulong> value) =>
        Avx512F.IsSupported ? Avx512F.RotateRight(value, 24) : (value >>> 24) | (value << 40);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> RotateRight16(Vector512<ulong> value) =>
        Avx512F.IsSupported ? Avx512F.RotateRight(value, 16) : (value >>> 16) | (value << 48);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> RotateRight63(Vector512<ulong> value) =>
        Avx512F.IsSupported ? Avx512F.RotateRight(value, 63) : (value >>> 63) | (value << 1);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LoadWords(byte* first, nint stride, Vector512<ulong>* words)
    {
        for (var half = 0; half < 2; half++, first += sizeof(Vector512<ulong>), words += 8)
        {
            var (r0, r1) = SwapOnes(Vector512.Load((ulong*)first), Vector512.Load((ulong*)(first + stride)));
            var (r2, r3) = SwapOnes(
                Vector512.Load((ulong*)(first + (2 * stride))),
                Vector512.Load((ulong*)(first + (3 * stride)))
            );
            var (r4, r5) = SwapOnes(
                Vector512.Load((ulong*)(first + (4 * stride))),
                Vector512.Load((ulong*)(first + (5 * stride)))
            );
            var (r6, r7) = SwapOnes(
                Vector512.Load((ulong*)(first + (6 * stride))),
                Vector512.Load((ulong*)(first + (7 * stride)))
            );
            var (s0, s2) = SwapTwos(r0, r2);
            var (s1, s3) = SwapTwos(r1, r3);
            var (s4, s6) = SwapTwos(r4, r6);
            var (s5, s7) = SwapTwos(r5, r7);
            (words[0], words[4]) = SwapFours(s0, s4);
            (words[1], words[5]) = SwapFours(s1, s5);
            (words[2], words[6]) = SwapFours(s2, s6);
            (words[3], words[7]) = SwapFours(s3, s7);
        }
    }

    // A transposition in three steps; each swaps squares of 1, 2 and 4 words across the diagonal of two rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<ulong>, Vector512<ulong>) SwapOnes(Vector512<ulong> a, Vector512<ulong> b)
    {
        var odd = Vector512.Create(0, ~0ul, 0, ~0ul, 0, ~0ul, 0, ~0ul);
        return (
            Vector512.ConditionalSelect(odd, Vector512.Shuffle(b, Vector512.Create(0ul, 0, 2, 2, 4, 4, 6, 6)), a),
            Vector512.ConditionalSelect(odd, b, Vector512.Shuffle(a, Vector512.Create(1ul, 1, 3, 3, 5, 5, 7, 7)))
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<ulong>, Vector512<ulong>) SwapTwos(Vector512<ulong> a, Vector512<ulong> b)
    {
        var odd = Vector512.Create(0, 0, ~0ul, ~0ul, 0, 0, ~0ul, ~0ul);
        return (
            Vector512.ConditionalSelect(odd, Vector512.Shuffle(b, Vector512.Create(0ul, 1, 0, 1, 4, 5, 4, 5)), a),
            Vector512.ConditionalSelect(odd, b, Vector512.Shuffle(a, Vector512.Create(2ul, 3, 2, 3, 6, 7, 6, 7)))
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<ulong>, Vector512<ulong>) SwapFours(Vector512<ulong> a, Vector512<ulong> b) =>
        (Vector512.Create(a.GetLower(), b.GetLower()), Vector512.Create(a.GetUpper(), b.GetUpper()));
}
