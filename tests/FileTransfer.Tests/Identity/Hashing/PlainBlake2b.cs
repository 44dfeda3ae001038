using System.Buffers.Binary;
using System.Numerics;

namespace FileTransfer.Tests.Identity.Hashing;

/// <summary>BLAKE2b-256 written down from RFC 7693 with arrays and loops, nothing shared with the product's.</summary>
internal static class PlainBlake2b
{
    private static readonly ulong[] _iv = [.. new uint[] { 2, 3, 5, 7, 11, 13, 17, 19 }.Select(prime => FractionOfRoot(prime))];

    // The first ten permutations; rounds 10 and 11 use the first two again.
    private static readonly string[] _sigma =
    [
        "0123456789abcdef",
        "ea489fd61c02b753",
        "b8c052fdae367194",
        "7931dcbe265a40f8",
        "905724afe1bc683d",
        "2c6a0b834d75fe19",
        "c51fed4a0763928b",
        "db7ec13950f4862a",
        "6fe9b308c2d714a5",
        "a2847615fb9e3cd0",
    ];

    public static byte[] Hash256(ReadOnlySpan<byte> message)
    {
        var h = _iv.ToArray();
        h[0] ^= 0x01010020;
        var blocks = Math.Max(1, (message.Length + 127) / 128);
        for (var block = 0; block < blocks; block++)
        {
            var padded = new byte[128];
            var end = Math.Min(message.Length, (block + 1) * 128);
            message[(block * 128)..end].CopyTo(padded);
            Compress(h, padded, (ulong)end, block == blocks - 1);
        }

        var hash = new byte[32];
        for (var i = 0; i < 4; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(hash.AsSpan(8 * i), h[i]);
        }

        return hash;
    }

    private static void Compress(ulong[] h, byte[] block, ulong counted, bool last)
    {
        ulong[] v = [.. h, .. _iv];
        v[12] ^= counted;
        v[14] = last ? ~v[14] : v[14];
        for (var round = 0; round < 12; round++)
        {
            for (var g = 0; g < 8; g++)
            {
                var shift = g / 4;
                var (a, b, c, d) = (g % 4, 4 + ((g + shift) % 4), 8 + ((g + (2 * shift)) % 4), 12 + ((g + (3 * shift)) % 4));
                v[a] += v[b] + Word(2 * g);
                v[d] = BitOperations.RotateRight(v[d] ^ v[a], 32);
                v[c] += v[d];
                v[b] = BitOperations.RotateRight(v[b] ^ v[c], 24);
                v[a] += v[b] + Word((2 * g) + 1);
                v[d] = BitOperations.RotateRight(v[d] ^ v[a], 16);
                v[c] += v[d];
                v[b] = BitOperations.RotateRight(v[b] ^ v[c], 63);
            }

            ulong Word(int i) =>
                BinaryPrimitives.ReadUInt64LittleEndian(block.AsSpan(8 * Convert.ToInt32(_sigma[round % 10][i].ToString(), 16)));
        }

        for (var i = 0; i < 8; i++)
        {
            h[i] ^= v[i] ^ v[i + 8];
        }
    }

    /// <summary>The first 64 bits behind the point of a square root: how the RFC defines its constants.</summary>
    private static ulong FractionOfRoot(uint prime)
    {
        var scaled = new BigInteger(prime) << 128;
        var root = BigInteger.One << 67;
        for (var next = (root + (scaled / root)) >> 1; next < root; next = (root + (scaled / root)) >> 1)
        {
            root = next;
        }

        return (ulong)(root & ulong.MaxValue);
    }
}
