using System.Buffers.Binary;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Identity.Hashing;

/// <summary>The chunk trie as it is defined: a map from nibbles to values, split recursively. Slow, and shares only BLAKE2b.</summary>
internal static class PlainTrie
{
    public static byte[] Root(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty)
        {
            return Blake2b.Hash256([0]).ToArray();
        }

        var entries = new List<(byte[] Key, byte[] Value)>();
        for (var id = 0; id * 1024 < content.Length; id++)
        {
            var chunk = content[(id * 1024)..Math.Min(content.Length, (id + 1) * 1024)];
            var number = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(number, id);
            entries.Add((Nibbles(Compact((ulong)id)), [.. number, .. Compact((ulong)chunk.Length), .. chunk]));
        }

        return Blake2b.Hash256(Encode(entries, 0)).ToArray();
    }

    /// <summary>The same over values that are known by their hashes only, all of them at least 33 bytes.</summary>
    public static byte[] RootOfHashes(ReadOnlySpan<byte> hashes)
    {
        var entries = new List<(byte[] Key, byte[] Value)>();
        for (var id = 0; id < hashes.Length / 32; id++)
        {
            entries.Add((Nibbles(Compact((ulong)id)), hashes.Slice(id * 32, 32).ToArray()));
        }

        return Blake2b.Hash256(Encode(entries, 0, hashed: true)).ToArray();
    }

    private static byte[] Encode(List<(byte[] Key, byte[] Value)> entries, int from, bool hashed = false)
    {
        var (key, value) = entries[0];
        if (entries.Count == 1)
        {
            return hashed ? [(byte)(0x20 | (key.Length - from)), .. Packed(key[from..]), .. value]
                : value.Length < 33
                    ? [(byte)(0x40 | (key.Length - from)), .. Packed(key[from..]), .. Compact((ulong)value.Length), .. value]
                : [(byte)(0x20 | (key.Length - from)), .. Packed(key[from..]), .. Blake2b.Hash256(value).ToArray()];
        }

        var depth = from;
        while (entries.TrueForAll(entry => entry.Key[depth] == key[depth]))
        {
            depth++;
        }

        var bitmap = 0;
        var references = new List<byte>();
        for (var nibble = 0; nibble < 16; nibble++)
        {
            var below = entries.FindAll(entry => entry.Key[depth] == nibble);
            if (below.Count > 0)
            {
                bitmap |= 1 << nibble;
                var child = Encode(below, depth + 1, hashed);
                var reference = child.Length < 32 ? child : Blake2b.Hash256(child).ToArray();
                references.AddRange(Compact((ulong)reference.Length));
                references.AddRange(reference);
            }
        }

        return [(byte)(0x80 | (depth - from)), .. Packed(key[from..depth]), (byte)bitmap, (byte)(bitmap >> 8), .. references];
    }

    private static byte[] Compact(ulong value)
    {
        var bytes = new byte[ScaleCompact.MaxLength];
        return bytes[..ScaleCompact.Write(bytes, value)];
    }

    private static byte[] Nibbles(byte[] bytes) => [.. bytes.SelectMany(b => new[] { (byte)(b >> 4), (byte)(b & 15) })];

    private static byte[] Packed(byte[] nibbles)
    {
        var padded = nibbles.Length % 2 == 0 ? nibbles : [0, .. nibbles];
        return [.. padded.Chunk(2).Select(pair => (byte)((pair[0] << 4) | pair[1]))];
    }
}
