namespace FileTransfer.Identity.Hashing;

/// <summary>The eight state words of as many BLAKE2b-256 messages as a vector has lanes.</summary>
internal unsafe struct Blake2bState<TVector, TLanes> : IBlake2bState
    where TVector : unmanaged
    where TLanes : ILanes<TVector>
{
    private Words _state;

    public static int Count => TLanes.Count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Start()
    {
        for (var i = 0; i < 8; i++)
        {
            _state[i] = TLanes.Broadcast(Blake2b.InitialState[i] ^ (i == 0 ? Blake2b.Parameters : 0));
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Compress(byte* first, nint stride, ulong counted, bool last)
    {
        // Aligned to a cache line: every word is loaded twelve times.
        var room = stackalloc byte[(16 * sizeof(TVector)) + 63];
        var m = (TVector*)(((nint)room + 63) & ~63);
        TLanes.LoadWords(first, stride, m);

        var (v0, v1, v2, v3) = (_state[0], _state[1], _state[2], _state[3]);
        var (v4, v5, v6, v7) = (_state[4], _state[5], _state[6], _state[7]);
        var (v8, v9) = (TLanes.Broadcast(Blake2b.InitialState[0]), TLanes.Broadcast(Blake2b.InitialState[1]));
        var (v10, v11) = (TLanes.Broadcast(Blake2b.InitialState[2]), TLanes.Broadcast(Blake2b.InitialState[3]));
        var (v12, v13) = (TLanes.Broadcast(Blake2b.InitialState[4] ^ counted), TLanes.Broadcast(Blake2b.InitialState[5]));
        var v14 = TLanes.Broadcast(last ? ~Blake2b.InitialState[6] : Blake2b.InitialState[6]);
        var v15 = TLanes.Broadcast(Blake2b.InitialState[7]);

        fixed (byte* sigma = Blake2b.Sigma)
        {
            for (var s = sigma; s < sigma + (16 * Blake2b.Rounds); s += 16)
            {
                Mix(ref v0, ref v4, ref v8, ref v12, m[s[0]], m[s[1]]);
                Mix(ref v1, ref v5, ref v9, ref v13, m[s[2]], m[s[3]]);
                Mix(ref v2, ref v6, ref v10, ref v14, m[s[4]], m[s[5]]);
                Mix(ref v3, ref v7, ref v11, ref v15, m[s[6]], m[s[7]]);
                Mix(ref v0, ref v5, ref v10, ref v15, m[s[8]], m[s[9]]);
                Mix(ref v1, ref v6, ref v11, ref v12, m[s[10]], m[s[11]]);
                Mix(ref v2, ref v7, ref v8, ref v13, m[s[12]], m[s[13]]);
                Mix(ref v3, ref v4, ref v9, ref v14, m[s[14]], m[s[15]]);
            }
        }

        _state[0] = TLanes.Xor(_state[0], TLanes.Xor(v0, v8));
        _state[1] = TLanes.Xor(_state[1], TLanes.Xor(v1, v9));
        _state[2] = TLanes.Xor(_state[2], TLanes.Xor(v2, v10));
        _state[3] = TLanes.Xor(_state[3], TLanes.Xor(v3, v11));
        _state[4] = TLanes.Xor(_state[4], TLanes.Xor(v4, v12));
        _state[5] = TLanes.Xor(_state[5], TLanes.Xor(v5, v13));
        _state[6] = TLanes.Xor(_state[6], TLanes.Xor(v6, v14));
        _state[7] = TLanes.Xor(_state[7], TLanes.Xor(v7, v15));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void WriteHashes(uint wanted, byte* hashes)
    {
        for (var word = 0; word < 4; word++)
        {
            var lanes = _state[word];
            for (var lane = 0; lane < TLanes.Count; lane++)
            {
                if ((wanted >> lane & 1) != 0)
                {
                    Unsafe.WriteUnaligned(hashes + (lane * Hash256.Length) + (word * sizeof(ulong)), ((ulong*)&lanes)[lane]);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ref TVector a, ref TVector b, ref TVector c, ref TVector d, TVector x, TVector y)
    {
        a = TLanes.Add(TLanes.Add(a, x), b);
        d = TLanes.RotateRight32(TLanes.Xor(d, a));
        c = TLanes.Add(c, d);
        b = TLanes.RotateRight24(TLanes.Xor(b, c));
        a = TLanes.Add(TLanes.Add(a, y), b);
        d = TLanes.RotateRight16(TLanes.Xor(d, a));
        c = TLanes.Add(c, d);
        b = TLanes.RotateRight63(TLanes.Xor(b, c));
    }

    [InlineArray(8)]
    private struct Words
    {
        private TVector _first;
    }
}
