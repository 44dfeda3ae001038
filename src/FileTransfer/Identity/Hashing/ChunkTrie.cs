namespace FileTransfer.Identity.Hashing;

/// <summary>
/// The root of the base-16 Patricia trie over a content's chunks (Substrate's state trie, layout V1, BLAKE2b-256): a fingerprint.
/// </summary>
/// <remarks>
/// Walks the trie over <see cref="ChunkIdSet"/>s: <see cref="TrieWalk"/> node by node, and most of a large content in
/// <see cref="TrieRuns"/>, which are shared out to the cores. The hashes of what is walked are in a <see cref="HashWindow"/>.
/// Nodes: leaf <c>0b01 | 0b001, nibbles, value | hash</c>; branch <c>0b10, nibbles, u16 LE bitmap, children</c>.
/// </remarks>
internal static class ChunkTrie
{
    internal const int CarriedLeaf = 0b0100_0000;
    internal const int HashedLeaf = 0b0010_0000;
    internal const int Branch = 0b1000_0000;

    /// <summary>The root over the <see cref="ChunkHashes"/> of a content of <paramref name="size"/> bytes.</summary>
    public static Fingerprint Root(HashStorage hashes, long size, int maxDegreeOfParallelism) =>
        Root(hashes, size, maxDegreeOfParallelism, Blake2bLanes.Count);

    internal static Fingerprint Root(HashStorage hashes, long size, int maxDegreeOfParallelism, int lanes)
    {
        if (size == 0)
        {
            return new Fingerprint(Blake2b.Hash256([0]));
        }

        hashes.Warm();
        using var window = new HashWindow(hashes, size);
        window.LoadFirst();
        var walk = new TrieWalk(hashes, window, size);
        Span<byte> slot = stackalloc byte[TrieChildren.SlotLength];
        using var runs = TrieRuns.HasSome(size) ? new TrieRuns(hashes, window, size, lanes, maxDegreeOfParallelism) : null;
        var length = EncodeRoot(walk, runs, (ulong)ChunkHashes.ChunkCountOf(size), slot);
        return new Fingerprint(Blake2b.Hash256(slot[..length]));
    }

    private static int EncodeRoot(TrieWalk walk, TrieRuns? runs, ulong count, Span<byte> destination)
    {
        // Four ids and fewer share their first nibble: then the root is the node below it.
        if (count <= 4)
        {
            return EncodeFirstNibble(walk, 0, 0, runs, count, destination);
        }

        var children = new TrieChildren(stackalloc byte[16 * TrieChildren.SlotLength], stackalloc int[16]);
        for (var nibble = 0; nibble < 16; nibble++)
        {
            var isThere = count > (ulong)nibble << 2;
            children.Lengths[nibble] = isThere ? EncodeFirstNibble(walk, nibble, 1, runs, count, children.Slot(nibble)) : 0;
        }

        return TrieWalk.EncodeBranch(default, 0, 0, children, destination);
    }

    /// <summary>Encodes the node of all keys that start with <paramref name="firstNibble"/>; its own nibbles begin at <paramref name="from"/>.</summary>
    [SkipLocalsInit]
    private static int EncodeFirstNibble(
        TrieWalk walk,
        int firstNibble,
        int from,
        TrieRuns? runs,
        ulong count,
        Span<byte> destination
    )
    {
        var only = default(ChunkIdSet);
        var found = 0;
        for (var nibble = 0; nibble < 16 && found < 2; nibble++)
        {
            var ids = ChunkIdSet.StartingWith(firstNibble, nibble, count);
            if (!ids.IsEmpty)
            {
                only = ids;
                found++;
            }
        }

        if (found == 1)
        {
            return walk.EncodeNode(only, from, destination);
        }

        var children = new TrieChildren(stackalloc byte[16 * TrieChildren.SlotLength], stackalloc int[16]);
        for (var nibble = 0; nibble < 16; nibble++)
        {
            var length = runs?.Node(firstNibble, nibble, children.Slot(nibble)) ?? 0;
            var ids = length > 0 ? default : ChunkIdSet.StartingWith(firstNibble, nibble, count);
            children.Lengths[nibble] = ids.IsEmpty ? length : walk.EncodeNode(ids, 2, children.Slot(nibble));
        }

        return TrieWalk.EncodeBranch(new ChunkKey((ulong)firstNibble << 60), from, 1, children, destination);
    }
}
