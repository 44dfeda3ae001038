using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FileTransfer.Identity.Hashing;

/// <summary>Two messages at once, as with NEON and SSE.</summary>
internal readonly unsafe struct TwoLanes : ILanes<Vector128<ulong>>
{
    public static int Count => 2;

    public static Vector128<ulong> Broadcast(ulong value) => Vector128.Create(value);

    public static Vector128<ulong> Add(Vector128<ulong> left, Vector128<ulong> right) => left + right;

    public static Vector128<ulong> Xor(Vector128<ulong> left, Vector128<ulong> right) => left ^ right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> RotateRight32(Vector128<ulong> value) =>
        Avx512F.VL.IsSupported
            ? Avx512F.VL.RotateRight(value, 32)
            : Vector128.Shuffle(value.AsUInt32(), Vector128.Create(1u, 0, 3, 2)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> RotateRight24(Vector128<ulong> value) =>
        Avx512F.VL.IsSupported
            ? Avx512F.VL.RotateRight(value, 24)
            : Vector128
                .Shuffle(value.AsByte(), Vector128.Create((byte)3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10))
                .AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> RotateRight16(Vector128<ulong> value) =>
        Avx512F.VL.IsSupported
            ? Avx512F.VL.RotateRight(value, 16)
            : Vector128
                .Shuffle(value.AsByte(), Vector128.Create((byte)2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9))
                .AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> RotateRight63(Vector128<ulong> value) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(value, 63) : (value >>> 63) | (value + value);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LoadWords(byte* first, nint stride, Vector128<ulong>* words)
    {
        for (var pair = 0; pair < 8; pair++, first += sizeof(Vector128<ulong>), words += 2)
        {
            var (a, b) = (Vector128.Load((ulong*)first), Vector128.Load((ulong*)(first + stride)));
            words[0] = Vector128.Create(a.GetLower(), b.GetLower());
            words[1] = Vector128.Create(a.GetUpper(), b.GetUpper());
        }
    }
}
