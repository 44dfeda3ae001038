namespace FileTransfer.Identity.Hashing;

/// <summary>Encodes nodes of the chunk trie one after the other, depth first, whatever their shape is.</summary>
/// <remarks>
/// No node is ever an object: memory is one frame of 16 encoded children per level. A program that computes one fingerprint and ends is
/// to be fast from the first node on, so the walk is compiled fully at once.
/// </remarks>
internal readonly struct TrieWalk(HashStorage hashes, HashWindow window, long size)
{
    private readonly HashStorage _hashes = hashes;
    private readonly HashWindow _window = window;
    private readonly ulong _count = (ulong)ChunkHashes.ChunkCountOf(size);
    private readonly int _lastLength = ChunkValue.EncodedLength(ChunkHashes.LastLengthOf(size));
    private readonly bool _lastIsCarried = ChunkValue.IsCarried(ChunkHashes.LastLengthOf(size));

    /// <summary>Encodes the node of these ids; its own nibbles begin at <paramref name="from"/>, at or above the set's depth.</summary>
    public int EncodeNode(in ChunkIdSet ids, int from, Span<byte> destination) =>
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
        var at = new ChunkKey(ids).WriteNibbles(
            from,
            2 * ids.KeyLength,
            carried ? ChunkTrie.CarriedLeaf : ChunkTrie.HashedLeaf,
            destination
        );
        var length = isLast ? _lastLength : Hash256.Length;
        if (carried)
        {
            at += ScaleCompact.Write(destination[at..], (ulong)length);
        }

        Read(ids, destination.Slice(at, length));
        return at + length;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int EncodeBranch(ChunkKey key, int from, int depth, TrieChildren children, Span<byte> destination)
    {
        var bitmap = 0;
        for (var nibble = 0; nibble < 16; nibble++)
        {
            bitmap |= children.Lengths[nibble] > 0 ? 1 << nibble : 0;
        }

        var at = key.WriteNibbles(from, depth, ChunkTrie.Branch, destination);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[at..], (ushort)bitmap);
        at += 2;
        at += children.WriteReferences(destination[at..]);
        destination[at..Blake2b.PaddedLength(at)].Clear();
        return at;
    }

    /// <summary>Chunks beyond 1 TiB have longer keys, and are in no window.</summary>
    private void Read(in ChunkIdSet ids, Span<byte> value)
    {
        if (ids.First >= ChunkIdSet.EndOfFourBytes)
        {
            _hashes.Read((long)ids.First * Hash256.Length, value);
        }
        else
        {
            _window.Of(ids.First, value.Length).CopyTo(value);
        }
    }
}
