namespace FileTransfer.Identity.Hashing;

/// <summary>
/// The root of the base-16 Patricia trie over a content's chunks (Substrate's state trie, layout V1, BLAKE2b-256): a fingerprint.
/// </summary>
/// <remarks>
/// Walks the trie depth first over <see cref="ChunkIdSet"/>s, so no node is ever an object: memory is one frame of 16 encoded
/// children per level. Most of a large content is walked in <see cref="TrieRuns"/>, which take the hashes as they lie in memory and
/// are shared out to the cores. A program that computes one fingerprint and ends is to be fast from the first node on, so the walk is
/// compiled fully at once. Nodes: leaf <c>0b01 | 0b001, nibbles, value | hash</c>; branch <c>0b10, nibbles, u16 LE bitmap, children</c>.
/// </remarks>
internal static unsafe class ChunkTrie
{
    internal const int CarriedLeaf = 0b0100_0000;
    internal const int HashedLeaf = 0b0010_0000;
    internal const int Branch = 0b1000_0000;

    /// <summary>The first id whose key has four bytes; below it the content is small.</summary>
    private const ulong FirstOfFourBytes = 1 << 14;

    /// <summary>The root over <paramref name="encoded"/>, the <see cref="ChunkHashes"/> of a content of <paramref name="size"/> bytes.</summary>
    public static Fingerprint Root(byte* encoded, long size, int maxDegreeOfParallelism) =>
        Root(encoded, size, maxDegreeOfParallelism, Blake2bLanes.Count);

    internal static Fingerprint Root(byte* encoded, long size, int maxDegreeOfParallelism, int lanes)
    {
        if (size == 0)
        {
            return new Fingerprint(Blake2b.Hash256([0]));
        }

        var walk = new Walk(encoded, size);
        Span<byte> slot = stackalloc byte[TrieChildren.SlotLength];
        using var runs = walk.HasRuns ? walk.EncodeRuns(lanes, maxDegreeOfParallelism) : null;
        var length = walk.EncodeRoot(runs, slot);
        return new Fingerprint(Blake2b.Hash256(slot[..length]));
    }

    private readonly struct Walk(byte* encoded, long size)
    {
        private readonly byte* _encoded = encoded;
        private readonly ulong _count = (ulong)ChunkHashes.ChunkCountOf(size);
        private readonly int _lastLength = ChunkValue.EncodedLength(ChunkHashes.LastLengthOf(size));
        private readonly bool _lastIsCarried = ChunkValue.IsCarried(ChunkHashes.LastLengthOf(size));

        public bool HasRuns => _count > FirstOfFourBytes;

        public TrieRuns EncodeRuns(int lanes, int maxDegreeOfParallelism) =>
            new(_encoded, _count, _lastIsCarried, lanes, maxDegreeOfParallelism);

        public int EncodeRoot(TrieRuns? runs, Span<byte> destination)
        {
            // Four ids and fewer share their first nibble: then the root is the node below it.
            if (_count <= 4)
            {
                return EncodeFirstNibble(0, 0, runs, destination);
            }

            var children = new TrieChildren(stackalloc byte[16 * TrieChildren.SlotLength], stackalloc int[16]);
            for (var nibble = 0; nibble < 16; nibble++)
            {
                children.Lengths[nibble] = HasFirstNibble(nibble) ? EncodeFirstNibble(nibble, 1, runs, children.Slot(nibble)) : 0;
            }

            return EncodeBranch(default, 0, 0, children, destination);
        }

        private bool HasFirstNibble(int nibble) => _count > (ulong)nibble << 2;

        /// <summary>Encodes the node of all keys that start with <paramref name="firstNibble"/>; its own nibbles begin at <paramref name="from"/>.</summary>
        [SkipLocalsInit]
        private int EncodeFirstNibble(int firstNibble, int from, TrieRuns? runs, Span<byte> destination)
        {
            var only = default(ChunkIdSet);
            var found = 0;
            for (var nibble = 0; nibble < 16 && found < 2; nibble++)
            {
                var ids = ChunkIdSet.StartingWith(firstNibble, nibble, _count);
                if (!ids.IsEmpty)
                {
                    only = ids;
                    found++;
                }
            }

            if (found == 1)
            {
                return EncodeNode(only, from, destination);
            }

            var children = new TrieChildren(stackalloc byte[16 * TrieChildren.SlotLength], stackalloc int[16]);
            for (var nibble = 0; nibble < 16; nibble++)
            {
                var length = runs?.Node(firstNibble, nibble, children.Slot(nibble)) ?? 0;
                var ids = length > 0 ? default : ChunkIdSet.StartingWith(firstNibble, nibble, _count);
                children.Lengths[nibble] = ids.IsEmpty ? length : EncodeNode(ids, 2, children.Slot(nibble));
            }

            return EncodeBranch(new ChunkKey((ulong)firstNibble << 60), from, 1, children, destination);
        }

        /// <summary>Encodes the node of these ids; its own nibbles begin at <paramref name="from"/>, at or above the set's depth.</summary>
        private int EncodeNode(in ChunkIdSet ids, int from, Span<byte> destination) =>
            ids.IsSingle ? EncodeLeaf(ids, from, destination) : EncodeBranch(ids, from, destination);

        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private int EncodeBranch(ChunkIdSet ids, int from, Span<byte> destination)
        {
            var children = new TrieChildren(stackalloc byte[16 * TrieChildren.SlotLength], stackalloc int[16]);
            while (true)
            {
                var found = 0;
                var last = default(ChunkIdSet);
                for (var nibble = 0; nibble < 16; nibble++)
                {
                    children.Lengths[nibble] = 0;
                    var child = ids.Child(nibble);
                    if (child.IsEmpty)
                    {
                        continue;
                    }

                    // The first child waits until there is a second: alone it is the same node, one nibble longer.
                    if (found == 1)
                    {
                        var waiting = new ChunkKey(last).Nibble(ids.Depth);
                        children.Lengths[waiting] = EncodeNode(last, ids.Depth + 1, children.Slot(waiting));
                    }

                    if (found > 0)
                    {
                        children.Lengths[nibble] = EncodeNode(child, ids.Depth + 1, children.Slot(nibble));
                    }

                    last = child;
                    found++;
                }

                if (found > 1)
                {
                    return EncodeBranch(new ChunkKey(ids), from, ids.Depth, children, destination);
                }

                ids = last;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private int EncodeLeaf(in ChunkIdSet ids, int from, Span<byte> destination)
        {
            var isLast = ids.First == _count - 1;
            var carried = isLast && _lastIsCarried;
            destination[..Blake2b.BlockLength].Clear();
            var at = new ChunkKey(ids).WriteNibbles(from, 2 * ids.KeyLength, carried ? CarriedLeaf : HashedLeaf, destination);
            var value = new ReadOnlySpan<byte>(
                _encoded + ((long)ids.First * Hash256.Length),
                isLast ? _lastLength : Hash256.Length
            );
            if (carried)
            {
                at += ScaleCompact.Write(destination[at..], (ulong)value.Length);
            }

            value.CopyTo(destination[at..]);
            return at + value.Length;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static int EncodeBranch(ChunkKey key, int from, int depth, TrieChildren children, Span<byte> destination)
        {
            var bitmap = 0;
            for (var nibble = 0; nibble < 16; nibble++)
            {
                bitmap |= children.Lengths[nibble] > 0 ? 1 << nibble : 0;
            }

            var at = key.WriteNibbles(from, depth, Branch, destination);
            BinaryPrimitives.WriteUInt16LittleEndian(destination[at..], (ushort)bitmap);
            at += 2;
            at += children.WriteReferences(destination[at..]);
            destination[at..Blake2b.PaddedLength(at)].Clear();
            return at;
        }
    }
}
