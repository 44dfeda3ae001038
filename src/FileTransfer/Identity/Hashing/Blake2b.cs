using System.Numerics;

namespace FileTransfer.Identity.Hashing;

/// <summary>BLAKE2b-256, unkeyed (RFC 7693): one message at a time, the reference for the lanes.</summary>
public static class Blake2b
{
    internal const int BlockLength = 128;
    internal const int Rounds = 12;

    /// <summary>What the first state word is xored with: 32 bytes of digest, no key, fanout and depth 1.</summary>
    internal const ulong Parameters = 0x01010000 ^ Identity.Hash256.Length;

    /// <summary>The order of message words, 16 for each round (RFC 7693, 2.7); rounds 10 and 11 repeat 0 and 1.</summary>
    // csharpier-ignore
    internal static ReadOnlySpan<byte> Sigma =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
        11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
        7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
        9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
        2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
        12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
        13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
        6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
        10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
    ];

    internal static ReadOnlySpan<ulong> InitialState =>
        [
            0x6a09e667f3bcc908,
            0xbb67ae8584caa73b,
            0x3c6ef372fe94f82b,
            0xa54ff53a5f1d36f1,
            0x510e527fade682d1,
            0x9b05688c2b3e6c1f,
            0x1f83d9abfb41bd6b,
            0x5be0cd19137e2179,
        ];

    /// <summary>The length in whole blocks.</summary>
    internal static int PaddedLength(int length) => (length + BlockLength - 1) / BlockLength * BlockLength;

    public static Hash256 Hash256(ReadOnlySpan<byte> message)
    {
        Span<byte> hash = stackalloc byte[Identity.Hash256.Length];
        Hash256(message, hash);
        return new Hash256(hash);
    }

    /// <summary>Writes the 32 bytes of the hash to the start of <paramref name="destination"/>.</summary>
    public static void Hash256(ReadOnlySpan<byte> message, Span<byte> destination)
    {
        Span<ulong> state = stackalloc ulong[8];
        InitialState.CopyTo(state);
        state[0] ^= Parameters;

        // The last block is held back even when it is full: it is compressed as the last one.
        var counted = 0ul;
        while (message.Length > BlockLength)
        {
            counted += BlockLength;
            Compress(state, message[..BlockLength], counted, last: false);
            message = message[BlockLength..];
        }

        Span<byte> padded = stackalloc byte[BlockLength];
        padded.Clear();
        message.CopyTo(padded);
        Compress(state, padded, counted + (ulong)message.Length, last: true);
        for (var i = 0; i < 4; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(destination[(8 * i)..], state[i]);
        }
    }

    [SkipLocalsInit]
    private static void Compress(Span<ulong> state, ReadOnlySpan<byte> block, ulong counted, bool last)
    {
        Span<ulong> words = stackalloc ulong[16];
        for (var i = 0; i < 16; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt64LittleEndian(block[(8 * i)..]);
        }

        ref var m = ref MemoryMarshal.GetReference(words);
        var (v0, v1, v2, v3) = (state[0], state[1], state[2], state[3]);
        var (v4, v5, v6, v7) = (state[4], state[5], state[6], state[7]);
        var (v8, v9, v10, v11) = (InitialState[0], InitialState[1], InitialState[2], InitialState[3]);
        var (v12, v13) = (InitialState[4] ^ counted, InitialState[5]);
        var (v14, v15) = (last ? ~InitialState[6] : InitialState[6], InitialState[7]);

        ref var s = ref MemoryMarshal.GetReference(Sigma);
        for (var round = 0; round < Rounds; round++)
        {
            Mix(ref v0, ref v4, ref v8, ref v12, Word(ref m, ref s, 0), Word(ref m, ref s, 1));
            Mix(ref v1, ref v5, ref v9, ref v13, Word(ref m, ref s, 2), Word(ref m, ref s, 3));
            Mix(ref v2, ref v6, ref v10, ref v14, Word(ref m, ref s, 4), Word(ref m, ref s, 5));
            Mix(ref v3, ref v7, ref v11, ref v15, Word(ref m, ref s, 6), Word(ref m, ref s, 7));
            Mix(ref v0, ref v5, ref v10, ref v15, Word(ref m, ref s, 8), Word(ref m, ref s, 9));
            Mix(ref v1, ref v6, ref v11, ref v12, Word(ref m, ref s, 10), Word(ref m, ref s, 11));
            Mix(ref v2, ref v7, ref v8, ref v13, Word(ref m, ref s, 12), Word(ref m, ref s, 13));
            Mix(ref v3, ref v4, ref v9, ref v14, Word(ref m, ref s, 14), Word(ref m, ref s, 15));
            s = ref Unsafe.Add(ref s, 16);
        }

        state[0] ^= v0 ^ v8;
        state[1] ^= v1 ^ v9;
        state[2] ^= v2 ^ v10;
        state[3] ^= v3 ^ v11;
        state[4] ^= v4 ^ v12;
        state[5] ^= v5 ^ v13;
        state[6] ^= v6 ^ v14;
        state[7] ^= v7 ^ v15;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Word(ref ulong words, ref byte order, int position) =>
        Unsafe.Add(ref words, (nint)Unsafe.Add(ref order, position));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ref ulong a, ref ulong b, ref ulong c, ref ulong d, ulong x, ulong y)
    {
        a += b + x;
        d = BitOperations.RotateRight(d ^ a, 32);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 24);
        a += b + y;
        d = BitOperations.RotateRight(d ^ a, 16);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 63);
    }
}
