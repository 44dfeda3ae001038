namespace FileTransfer.Identity.Hashing;

/// <summary>The nodes two nibbles below the root for all keys of two and of four bytes, computed for runs of neighbours at once.</summary>
/// <remarks>
/// 64 neighbouring ids have keys that differ in the first byte only. So the subtrees below their first bytes have one shape, and where
/// one has the hash of a chunk, the others have those next to it in memory: a run of them is one walk, which takes whole cache lines
/// and hashes all its nodes side by side. Two things end a run: the end of the content, from which on the subtrees have one chunk
/// less, and a last chunk that is carried, which is left to be walked alone.
/// </remarks>
internal sealed unsafe class TrieRuns : IDisposable
{
    private const int Neighbours = 64;
    private const int TwoBytes = 1;
    private const int FourBytes = 2;

    private readonly byte* _encoded;
    private readonly ulong _count;
    private readonly int _lanes;
    private readonly byte[] _nodes = PieceBufferPool.Rent(2 * Neighbours * TrieChildren.SlotLength);
    private readonly int[] _lengths = new int[2 * Neighbours];

    /// <param name="encoded">The hashes of all chunks.</param>
    /// <param name="count">Chunks; more than have keys of two bytes.</param>
    /// <param name="lastIsCarried">Whether the last of them is there itself and not as its hash.</param>
    /// <param name="lanes">Nodes at once.</param>
    /// <param name="maxDegreeOfParallelism">Processor cores for it.</param>
    public TrieRuns(byte* encoded, ulong count, bool lastIsCarried, int lanes, int maxDegreeOfParallelism)
    {
        _encoded = encoded;
        _count = count;
        _lanes = lanes;
        var runs = new List<Run>();
        Cut(TwoBytes, Neighbours, Neighbours, runs);
        Cut(FourBytes, (int)(count % Neighbours), lastIsCarried ? (int)((count - 1) % Neighbours) : Neighbours, runs);
        ParallelRanges.Run(runs.Count, maxDegreeOfParallelism, run => Encode(runs[(int)run]));
    }

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

    private void Cut(int mode, int shapeEnds, int leftOut, List<Run> runs)
    {
        for (var first = 0; first < Neighbours; )
        {
            var end = Math.Min(first + _lanes, Neighbours);
            end = first < shapeEnds ? Math.Min(end, shapeEnds) : end;
            end = first < leftOut ? Math.Min(end, leftOut) : end;
            if (first != leftOut)
            {
                runs.Add(new Run(mode, first, end - first));
            }

            first = first == leftOut ? first + 1 : end;
        }
    }

    [SkipLocalsInit]
    private void Encode(Run run)
    {
        var ids = ChunkIdSet.StartingWith(run.First >> 2, ((run.First & 3) << 2) | run.Mode, _count);
        if (ids.IsEmpty)
        {
            return;
        }

        var nodes = new Nodes(stackalloc byte[_lanes * TrieChildren.SlotLength], run.Length);
        var length = Encode(ids, 2, nodes);
        var slot = SlotOf(run.Mode, run.First);
        nodes.Bytes[..(run.Length * TrieChildren.SlotLength)].CopyTo(_nodes.AsSpan(slot * TrieChildren.SlotLength));
        _lengths.AsSpan(slot, run.Length).Fill(length);
    }

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
                return EncodeBranches(new ChunkKey(ids), from, ids.Depth, bitmap, hashes, nodes);
            }

            ids = last;
        }
    }

    /// <summary>Hashes the nodes of these children, to where their nibble has its place in <paramref name="hashes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Hash(in ChunkIdSet child, Nodes nodes, Span<byte> hashes)
    {
        var length = Encode(child, child.Depth, nodes);
        var nibble = new ChunkKey(child).Nibble(child.Depth - 1);
        var destination = hashes.Slice(nibble * _lanes * Hash256.Length, _lanes * Hash256.Length);
        var wanted = (1u << nodes.Count) - 1;
        Blake2bLanes.HashPadded(_lanes, nodes.Bytes, TrieChildren.SlotLength, length, wanted, destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int EncodeLeaves(in ChunkIdSet ids, int from, Nodes nodes)
    {
        var key = new ChunkKey(ids);
        var values = new ReadOnlySpan<byte>(_encoded + ((long)ids.First * Hash256.Length), nodes.Count * Hash256.Length);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int EncodeBranches(ChunkKey key, int from, int depth, int bitmap, ReadOnlySpan<byte> hashes, Nodes nodes)
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
                var child = (int.TrailingZeroCount(left) * _lanes) + i;
                at += ScaleCompact.Write(node[at..], Hash256.Length);
                hashes.Slice(child * Hash256.Length, Hash256.Length).CopyTo(node[at..]);
                at += Hash256.Length;
            }

            node[at..Blake2b.PaddedLength(at)].Clear();
        }

        return at;
    }

    /// <param name="Mode">What the keys say of their length, in the lowest bits of their first byte.</param>
    /// <param name="First">The first neighbour, 0–63.</param>
    /// <param name="Length">Neighbours.</param>
    private readonly record struct Run(int Mode, int First, int Length);

    /// <summary>Room for one node of each neighbour of a run.</summary>
    private readonly ref struct Nodes(Span<byte> bytes, int count)
    {
        /// <summary>As many slots as there are lanes, though a run may have fewer nodes.</summary>
        public Span<byte> Bytes { get; } = bytes;

        public int Count { get; } = count;

        public Span<byte> this[int neighbour] => Bytes.Slice(neighbour * TrieChildren.SlotLength, TrieChildren.SlotLength);
    }
}
