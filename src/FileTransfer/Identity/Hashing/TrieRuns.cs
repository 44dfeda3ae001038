namespace FileTransfer.Identity.Hashing;

/// <summary>The nodes two nibbles below the root for all keys of two and of four bytes, computed for runs of neighbours at once.</summary>
/// <remarks>
/// 64 neighbouring ids have keys that differ in the first byte only. So the subtrees below their first bytes have one shape, and where
/// one has the hash of a chunk, the others have those next to it in memory: a run of them is one walk, which takes whole cache lines
/// and hashes all its nodes side by side. Two things end a run: the end of the content, from which on the subtrees have one chunk
/// less, and a last chunk that is carried, which is walked alone.
/// </remarks>
internal sealed partial class TrieRuns : IDisposable
{
    private const int Neighbours = HashWindow.Neighbours;
    private const int TwoBytes = 1;
    private const int FourBytes = 2;

    private const int NoneIsLast = -1;

    private readonly HashStorage _hashes;
    private readonly long _size;
    private readonly ulong _count;
    private readonly bool _lastIsCarried;
    private readonly int _lanes;
    private readonly byte[] _nodes = PieceBufferPool.Rent(2 * Neighbours * TrieChildren.SlotLength);
    private readonly int[] _lengths = new int[2 * Neighbours];

    /// <param name="hashes">Those of all chunks.</param>
    /// <param name="first">Where the first of them are loaded.</param>
    /// <param name="size">Of the content.</param>
    /// <param name="lanes">Nodes at once.</param>
    /// <param name="maxDegreeOfParallelism">Processor cores for it.</param>
    public TrieRuns(HashStorage hashes, HashWindow first, long size, int lanes, int maxDegreeOfParallelism)
    {
        var chunks = (ulong)ChunkHashes.ChunkCountOf(size);
        _hashes = hashes;
        _size = size;
        _count = Math.Min(chunks, ChunkIdSet.EndOfFourBytes);
        _lastIsCarried = chunks == _count && ChunkValue.IsCarried(ChunkHashes.LastLengthOf(size));
        _lanes = lanes;
        if (first.HasRoomFor(HashWindow.NeighbourBits))
        {
            ParallelRanges.Run(2, maxDegreeOfParallelism, mode => EncodeAll(first, (int)mode + TwoBytes));
        }
        else
        {
            EncodeInParts(first, maxDegreeOfParallelism);
        }
    }

    /// <summary>Neighbours up to this one have one chunk more than the others, where the content ends.</summary>
    private int LastNeighbour => (int)((_count - 1) % Neighbours);

    public static bool HasSome(long size) => (ulong)ChunkHashes.ChunkCountOf(size) > ChunkIdSet.FirstOfFourBytes;

    /// <summary>Writes the node of all keys that start with these two nibbles and returns its length; 0 where it is not in a run.</summary>
    public int Node(int firstNibble, int secondNibble, Span<byte> destination)
    {
        var mode = secondNibble & 3;
        if (mode is not (TwoBytes or FourBytes))
        {
            return 0;
        }

        var slot = SlotOf(mode, (firstNibble << 2) | (secondNibble >> 2));
        _nodes.AsSpan(slot * TrieChildren.SlotLength, TrieChildren.SlotLength).CopyTo(destination);
        return _lengths[slot];
    }

    public void Dispose() => PieceBufferPool.Return(_nodes);

    private static int SlotOf(int mode, int neighbour) => ((mode - TwoBytes) * Neighbours) + neighbour;

    /// <summary>Encodes the nodes of all keys of a mode, all of which are loaded.</summary>
    [SkipLocalsInit]
    private void EncodeAll(HashWindow window, int mode)
    {
        var last = mode == FourBytes ? LastNeighbour : NoneIsLast;
        var nodes = new Nodes(window, stackalloc byte[_lanes * TrieChildren.SlotLength]);
        for (var first = 0; first < Neighbours; first += nodes.Count)
        {
            nodes.Count = CountRun(first, last);
            var ids = IdsOf(mode, first);
            if (!ids.IsEmpty)
            {
                Keep(nodes, mode, first, EncodeRun(ids, first, last, nodes));
            }
        }
    }

    private void Keep(in Nodes nodes, int mode, int first, int length)
    {
        var slot = SlotOf(mode, first);
        nodes.Bytes[..(nodes.Count * TrieChildren.SlotLength)].CopyTo(_nodes.AsSpan(slot * TrieChildren.SlotLength));
        _lengths.AsSpan(slot, nodes.Count).Fill(length);
    }

    private ChunkIdSet IdsOf(int mode, int neighbour) =>
        ChunkIdSet.StartingWith(neighbour >> 2, ((neighbour & 3) << 2) | mode, _count);

    /// <summary>So many neighbours from this one on have subtrees of one shape; up to <paramref name="last"/> those have one chunk more.</summary>
    private int CountRun(int first, int last)
    {
        var end = Math.Min(first + _lanes, Neighbours);
        if (first <= last)
        {
            end = Math.Min(end, _lastIsCarried && first < last ? last : last + 1);
        }

        return end - first;
    }

    private int EncodeRun(in ChunkIdSet ids, int first, int last, Nodes nodes) =>
        first == last && _lastIsCarried
            ? new TrieWalk(_hashes, nodes.Window, _size).EncodeNode(ids, ids.Depth, nodes[0])
            : Encode(ids, ids.Depth, nodes);

    /// <summary>Encodes the nodes of these ids, the run's first, and of their neighbours; their own nibbles begin at <paramref name="from"/>.</summary>
    /// <returns>The length of each.</returns>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Encode(ChunkIdSet ids, int from, Nodes nodes)
    {
        if (ids.IsSingle)
        {
            return EncodeLeaves(ids, from, nodes);
        }

        // What is below is encoded where the branches come in the end: only its hashes are kept.
        Span<byte> hashes = stackalloc byte[16 * _lanes * Hash256.Length];
        while (true)
        {
            var bitmap = 0;
            var last = default(ChunkIdSet);
            for (var nibble = 0; nibble < 16; nibble++)
            {
                var child = ids.Child(nibble);
                if (child.IsEmpty)
                {
                    continue;
                }

                // The first child waits until there is a second: alone it is the same node, one nibble longer.
                if (int.IsPow2(bitmap))
                {
                    Hash(last, nodes, hashes);
                }

                bitmap |= 1 << nibble;
                last = child;
                if (!int.IsPow2(bitmap))
                {
                    Hash(child, nodes, hashes);
                }
            }

            if (!int.IsPow2(bitmap))
            {
                return EncodeBranches(new ChunkKey(ids), from, ids.Depth, bitmap, hashes, _lanes, nodes);
            }

            ids = last;
        }
    }

    /// <summary>Hashes the nodes of these children, to where their nibble has its place in <paramref name="hashes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Hash(in ChunkIdSet child, Nodes nodes, Span<byte> hashes)
    {
        var nibble = new ChunkKey(child).Nibble(child.Depth - 1);
        Hash(nodes, Encode(child, child.Depth, nodes), hashes[(nibble * _lanes * Hash256.Length)..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int EncodeLeaves(in ChunkIdSet ids, int from, Nodes nodes)
    {
        var key = new ChunkKey(ids);
        var values = nodes.Window.Of(ids.First, nodes.Count * Hash256.Length);
        var at = 0;
        for (var i = 0; i < nodes.Count; i++)
        {
            var node = nodes[i];
            node[..Blake2b.BlockLength].Clear();
            at = key.WriteNibbles(from, 2 * ids.KeyLength, ChunkTrie.HashedLeaf, node);
            values.Slice(i * Hash256.Length, Hash256.Length).CopyTo(node[at..]);
        }

        return at + Hash256.Length;
    }

    private void Hash(in Nodes nodes, int length, Span<byte> hashes) =>
        Blake2bLanes.HashPadded(
            _lanes,
            nodes.Bytes,
            TrieChildren.SlotLength,
            length,
            (1u << nodes.Count) - 1,
            hashes[..(_lanes * Hash256.Length)]
        );

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int EncodeBranches(
        ChunkKey key,
        int from,
        int depth,
        int bitmap,
        ReadOnlySpan<byte> hashes,
        int stride,
        Nodes nodes
    )
    {
        var at = 0;
        for (var i = 0; i < nodes.Count; i++)
        {
            var node = nodes[i];
            at = key.WriteNibbles(from, depth, ChunkTrie.Branch, node);
            BinaryPrimitives.WriteUInt16LittleEndian(node[at..], (ushort)bitmap);
            at += 2;
            for (var left = bitmap; left != 0; left &= left - 1)
            {
                var child = (int.TrailingZeroCount(left) * stride) + i;
                at += ScaleCompact.Write(node[at..], Hash256.Length);
                hashes.Slice(child * Hash256.Length, Hash256.Length).CopyTo(node[at..]);
                at += Hash256.Length;
            }

            node[at..Blake2b.PaddedLength(at)].Clear();
        }

        return at;
    }

    /// <summary>Room for one node of each neighbour of a run.</summary>
    private ref struct Nodes(HashWindow window, Span<byte> bytes)
    {
        public HashWindow Window { get; } = window;

        /// <summary>As many slots as there are lanes, though a run may have fewer nodes.</summary>
        public Span<byte> Bytes { get; } = bytes;

        public int Count { get; set; }

        public readonly Span<byte> this[int neighbour] =>
            Bytes.Slice(neighbour * TrieChildren.SlotLength, TrieChildren.SlotLength);
    }
}
