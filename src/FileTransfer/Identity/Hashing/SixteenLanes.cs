using System.Runtime.Intrinsics;

namespace FileTransfer.Identity.Hashing;

/// <summary>The eight state words of sixteen BLAKE2b-256 messages, in twice eight lanes.</summary>
/// <remarks>
/// The steps of one message wait for each other, and with them the eight of one vector: they use little more than half of what a core
/// can do. Two vectors side by side use it all. That takes 32 registers, which AVX-512 has; with 16 it is slower than one by one.
/// </remarks>
internal unsafe struct SixteenLanes : IBlake2bState
{
    private Words _state;

    public static int Count => 2 * EightLanes.Count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Start()
    {
        for (var i = 0; i < 16; i++)
        {
            _state[i] = Vector512.Create(Blake2b.InitialState[i % 8] ^ (i % 8 == 0 ? Blake2b.Parameters : 0));
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Compress(byte* first, nint stride, ulong counted, bool last)
    {
        // Aligned to a cache line: every word is loaded twelve times.
        var room = stackalloc byte[(32 * sizeof(Vector512<ulong>)) + 63];
        var m = (Vector512<ulong>*)(((nint)room + 63) & ~63);
        var n = m + 16;
        EightLanes.LoadWords(first, stride, m);
        EightLanes.LoadWords(first + (EightLanes.Count * stride), stride, n);

        var (v0, v1, v2, v3) = (_state[0], _state[1], _state[2], _state[3]);
        var (v4, v5, v6, v7) = (_state[4], _state[5], _state[6], _state[7]);
        var (v8, v9) = (Vector512.Create(Blake2b.InitialState[0]), Vector512.Create(Blake2b.InitialState[1]));
        var (v10, v11) = (Vector512.Create(Blake2b.InitialState[2]), Vector512.Create(Blake2b.InitialState[3]));
        var (v12, v13) = (Vector512.Create(Blake2b.InitialState[4] ^ counted), Vector512.Create(Blake2b.InitialState[5]));
        var v14 = Vector512.Create(last ? ~Blake2b.InitialState[6] : Blake2b.InitialState[6]);
        var v15 = Vector512.Create(Blake2b.InitialState[7]);

        var (w0, w1, w2, w3) = (_state[8], _state[9], _state[10], _state[11]);
        var (w4, w5, w6, w7) = (_state[12], _state[13], _state[14], _state[15]);
        var (w8, w9) = (Vector512.Create(Blake2b.InitialState[0]), Vector512.Create(Blake2b.InitialState[1]));
        var (w10, w11) = (Vector512.Create(Blake2b.InitialState[2]), Vector512.Create(Blake2b.InitialState[3]));
        var (w12, w13) = (Vector512.Create(Blake2b.InitialState[4] ^ counted), Vector512.Create(Blake2b.InitialState[5]));
        var w14 = Vector512.Create(last ? ~Blake2b.InitialState[6] : Blake2b.InitialState[6]);
        var w15 = Vector512.Create(Blake2b.InitialState[7]);

        fixed (byte* sigma = Blake2b.Sigma)
        {
            for (var s = sigma; s < sigma + (16 * Blake2b.Rounds); s += 16)
            {
                // csharpier-ignore-start
                MixFour(ref v0, ref v1, ref v2, ref v3, ref v4, ref v5, ref v6, ref v7, ref v8, ref v9, ref v10, ref v11, ref v12, ref v13, ref v14, ref v15, m, s);
                MixFour(ref w0, ref w1, ref w2, ref w3, ref w4, ref w5, ref w6, ref w7, ref w8, ref w9, ref w10, ref w11, ref w12, ref w13, ref w14, ref w15, n, s);
                MixFour(ref v0, ref v1, ref v2, ref v3, ref v5, ref v6, ref v7, ref v4, ref v10, ref v11, ref v8, ref v9, ref v15, ref v12, ref v13, ref v14, m, s + 8);
                MixFour(ref w0, ref w1, ref w2, ref w3, ref w5, ref w6, ref w7, ref w4, ref w10, ref w11, ref w8, ref w9, ref w15, ref w12, ref w13, ref w14, n, s + 8);
                // csharpier-ignore-end
            }
        }

        _state[0] ^= v0 ^ v8;
        _state[1] ^= v1 ^ v9;
        _state[2] ^= v2 ^ v10;
        _state[3] ^= v3 ^ v11;
        _state[4] ^= v4 ^ v12;
        _state[5] ^= v5 ^ v13;
        _state[6] ^= v6 ^ v14;
        _state[7] ^= v7 ^ v15;
        _state[8] ^= w0 ^ w8;
        _state[9] ^= w1 ^ w9;
        _state[10] ^= w2 ^ w10;
        _state[11] ^= w3 ^ w11;
        _state[12] ^= w4 ^ w12;
        _state[13] ^= w5 ^ w13;
        _state[14] ^= w6 ^ w14;
        _state[15] ^= w7 ^ w15;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void WriteHashes(uint wanted, byte* hashes)
    {
        fixed (Vector512<ulong>* state = &_state[0])
        {
            for (var message = 0; message < Count; message++, hashes += Hash256.Length)
            {
                if ((wanted >> message & 1) == 0)
                {
                    continue;
                }

                var words = (ulong*)(state + (message / EightLanes.Count * 8)) + (message % EightLanes.Count);
                for (var word = 0; word < Hash256.Length / sizeof(ulong); word++)
                {
                    Unsafe.WriteUnaligned(hashes + (word * sizeof(ulong)), words[word * EightLanes.Count]);
                }
            }
        }
    }

    /// <summary>The mixing function G of four columns, or four diagonals, step by step: the four do not wait for each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MixFour(
        ref Vector512<ulong> a0,
        ref Vector512<ulong> a1,
        ref Vector512<ulong> a2,
        ref Vector512<ulong> a3,
        ref Vector512<ulong> b0,
        ref Vector512<ulong> b1,
        ref Vector512<ulong> b2,
        ref Vector512<ulong> b3,
        ref Vector512<ulong> c0,
        ref Vector512<ulong> c1,
        ref Vector512<ulong> c2,
        ref Vector512<ulong> c3,
        ref Vector512<ulong> d0,
        ref Vector512<ulong> d1,
        ref Vector512<ulong> d2,
        ref Vector512<ulong> d3,
        Vector512<ulong>* m,
        byte* s
    )
    {
        a0 = a0 + m[s[0]] + b0;
        a1 = a1 + m[s[2]] + b1;
        a2 = a2 + m[s[4]] + b2;
        a3 = a3 + m[s[6]] + b3;
        d0 = EightLanes.RotateRight32(d0 ^ a0);
        d1 = EightLanes.RotateRight32(d1 ^ a1);
        d2 = EightLanes.RotateRight32(d2 ^ a2);
        d3 = EightLanes.RotateRight32(d3 ^ a3);
        c0 += d0;
        c1 += d1;
        c2 += d2;
        c3 += d3;
        b0 = EightLanes.RotateRight24(b0 ^ c0);
        b1 = EightLanes.RotateRight24(b1 ^ c1);
        b2 = EightLanes.RotateRight24(b2 ^ c2);
        b3 = EightLanes.RotateRight24(b3 ^ c3);

        a0 = a0 + m[s[1]] + b0;
        a1 = a1 + m[s[3]] + b1;
        a2 = a2 + m[s[5]] + b2;
        a3 = a3 + m[s[7]] + b3;
        d0 = EightLanes.RotateRight16(d0 ^ a0);
        d1 = EightLanes.RotateRight16(d1 ^ a1);
        d2 = EightLanes.RotateRight16(d2 ^ a2);
        d3 = EightLanes.RotateRight16(d3 ^ a3);
        c0 += d0;
        c1 += d1;
        c2 += d2;
        c3 += d3;
        b0 = EightLanes.RotateRight63(b0 ^ c0);
        b1 = EightLanes.RotateRight63(b1 ^ c1);
        b2 = EightLanes.RotateRight63(b2 ^ c2);
        b3 = EightLanes.RotateRight63(b3 ^ c3);
    }

    [InlineArray(16)]
    private struct Words
    {
        private Vector512<ulong> _first;
    }
}
