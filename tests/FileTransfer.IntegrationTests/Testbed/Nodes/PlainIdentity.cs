using FileTransfer.Tests.Identity.Hashing;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Names of files and contents, written down from their definition; nothing of it is shared with the product.</summary>
internal static class PlainIdentity
{
    /// <summary>SCALE's compact form of a number.</summary>
    public static byte[] Compact(long n)
    {
        var bytes = BitConverter.GetBytes(
            (n << 2)
                | (
                    n < 1 << 6 ? 0L
                    : n < 1 << 14 ? 1
                    : 2
                )
        );
        return n switch
        {
            < 1 << 6 => bytes[..1],
            < 1 << 14 => bytes[..2],
            < 1 << 30 => bytes[..4],
            _ => throw new ArgumentOutOfRangeException(nameof(n), n, "No test has so large a number."),
        };
    }

    /// <summary>What stands for a chunk in the trie: <c>u64 LE id ‖ compact(length) ‖ bytes</c>.</summary>
    public static byte[] ChunkValue(long id, ReadOnlySpan<byte> chunk) =>
        [.. BitConverter.GetBytes(id), .. Compact(chunk.Length), .. chunk];

    public static byte[] Fingerprint(byte[] content) =>
        PlainBlake2b.Hash256(
            Node(
                [
                    .. content
                        .Chunk(1024)
                        .Select((chunk, id) => (Nibbles: Nibbles(Compact(id)), Value: ChunkValue(id, chunk)))
                        .OrderBy(entry => Convert.ToHexString(entry.Nibbles), StringComparer.Ordinal),
                ],
                0
            )
        );

    private static byte[] Node(ReadOnlySpan<(byte[] Nibbles, byte[] Value)> entries, int depth)
    {
        var key = entries[0].Nibbles;
        if (entries.Length == 1)
        {
            var value = entries[0].Value;
            return value.Length < 33
                ? [(byte)(0b0100_0000 | (key.Length - depth)), .. Packed(key[depth..]), .. Compact(value.Length), .. value]
                : [(byte)(0b0010_0000 | (key.Length - depth)), .. Packed(key[depth..]), .. PlainBlake2b.Hash256(value)];
        }

        // Sorted, so what the first and the last have in common all have.
        var fork = depth + key.AsSpan(depth).CommonPrefixLength(entries[^1].Nibbles.AsSpan(depth));
        var bitmap = 0;
        var references = new List<byte>();
        for (int from = 0, to; from < entries.Length; from = to)
        {
            var nibble = entries[from].Nibbles[fork];
            for (to = from; to < entries.Length && entries[to].Nibbles[fork] == nibble; to++) { }

            bitmap |= 1 << nibble;
            var child = Node(entries[from..to], fork + 1);
            var reference = child.Length < 32 ? child : PlainBlake2b.Hash256(child);
            references.AddRange([.. Compact(reference.Length), .. reference]);
        }

        return
        [
            (byte)(0b1000_0000 | (fork - depth)),
            .. Packed(key[depth..fork]),
            (byte)bitmap,
            (byte)(bitmap >> 8),
            .. references,
        ];
    }

    private static byte[] Nibbles(byte[] bytes) => [.. bytes.SelectMany(b => new[] { (byte)(b >> 4), (byte)(b & 15) })];

    private static byte[] Packed(byte[] nibbles) =>
        [.. (nibbles.Length % 2 == 0 ? nibbles : [0, .. nibbles]).Chunk(2).Select(pair => (byte)((pair[0] << 4) | pair[1]))];
}
