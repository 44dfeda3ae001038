namespace FileTransfer.Identity.Hashing;

/// <content>Subtrees that have more hashes than a window: cut into parts by the next byte of their keys.</content>
/// <remarks>
/// Where there is no room, every neighbour has a chunk in each of the 256 parts, and the content's last chunk is not alone in its own:
/// so what is below a part is never so short that the node above has it in place of its hash.
/// </remarks>
internal sealed partial class TrieRuns
{
    private const int Parts = 256;
    private const int PartLength = Neighbours * Hash256.Length;

    [SkipLocalsInit]
    private void EncodeInParts(HashWindow firstWindow, int maxDegreeOfParallelism)
    {
        var parts = HashWindow.Buffers.Rent(Parts * PartLength);
        try
        {
            ParallelRanges.Run(
                Parts + 1,
                maxDegreeOfParallelism,
                number =>
                {
                    if (number == Parts)
                    {
                        EncodeAll(firstWindow, TwoBytes);
                        return;
                    }

                    using var window = new HashWindow(_hashes, _size);
                    HashPart(window, (ulong)number << HashWindow.NeighbourBits, 4, Part(parts, (int)number));
                }
            );
            var nodes = new Nodes(firstWindow, stackalloc byte[_lanes * TrieChildren.SlotLength]);
            for (var first = 0; first < Neighbours; first += nodes.Count)
            {
                nodes.Count = CountRun(first, NoneIsLast);
                Keep(nodes, FourBytes, first, Join(IdsOf(FourBytes, first), first, parts, nodes));
            }
        }
        finally
        {
            HashWindow.Buffers.Return(parts);
        }
    }

    private static Span<byte> Part(byte[] parts, int number) => parts.AsSpan(number * PartLength, PartLength);

    /// <summary>Hashes each neighbour's node of the ids that are as <paramref name="bits"/> up to the nibble <paramref name="depth"/> of their keys.</summary>
    private void HashPart(HashWindow window, ulong bits, int depth, Span<byte> hashes)
    {
        var shift = (4 * depth) - 2;
        if (window.HasRoomFor(shift))
        {
            // The first group may be one whose keys are shorter.
            window.Load(bits < ChunkIdSet.FirstOfFourBytes ? bits + (1ul << shift) : bits, shift);
            var isTheLast = (((_count - 1) ^ bits) & ((1ul << shift) - 1)) < Neighbours;
            HashNeighbours(window, bits, depth, isTheLast ? LastNeighbour : NoneIsLast, [], hashes);
            return;
        }

        var parts = HashWindow.Buffers.Rent(Parts * PartLength);
        try
        {
            for (var number = 0; number < Parts; number++)
            {
                HashPart(window, bits | ((ulong)number << shift), depth + 2, Part(parts, number));
            }

            HashNeighbours(window, bits, depth, NoneIsLast, parts, hashes);
        }
        finally
        {
            HashWindow.Buffers.Return(parts);
        }
    }

    /// <summary>The same, from the hashes of its parts or, where there are none, from what is loaded.</summary>
    [SkipLocalsInit]
    private void HashNeighbours(HashWindow window, ulong bits, int depth, int last, ReadOnlySpan<byte> parts, Span<byte> hashes)
    {
        var nodes = new Nodes(window, stackalloc byte[_lanes * TrieChildren.SlotLength]);
        Span<byte> ofRun = stackalloc byte[_lanes * Hash256.Length];
        for (var first = 0; first < Neighbours; first += nodes.Count)
        {
            nodes.Count = CountRun(first, last);
            var ids = IdsOf(FourBytes, first);
            while (ids.Depth < depth)
            {
                ids = ids.Towards(bits);
            }

            Hash(nodes, parts.IsEmpty ? EncodeRun(ids, first, last, nodes) : Join(ids, first, parts, nodes), ofRun);
            ofRun[..(nodes.Count * Hash256.Length)].CopyTo(hashes[(first * Hash256.Length)..]);
        }
    }

    /// <summary>Encodes the nodes of a run that is cut, two levels of branches with all their children, from the hashes of the parts.</summary>
    [SkipLocalsInit]
    private int Join(in ChunkIdSet ids, int first, ReadOnlySpan<byte> parts, Nodes nodes)
    {
        const int AllChildren = 0xFFFF;
        Span<byte> hashes = stackalloc byte[16 * _lanes * Hash256.Length];
        for (var nibble = 0; nibble < 16; nibble++)
        {
            var child = ids.Child(nibble);
            var below = parts[((nibble * 16 * PartLength) + (first * Hash256.Length))..];
            var length = EncodeBranches(new ChunkKey(child), child.Depth, child.Depth, AllChildren, below, Neighbours, nodes);
            Hash(nodes, length, hashes[(nibble * _lanes * Hash256.Length)..]);
        }

        return EncodeBranches(new ChunkKey(ids), ids.Depth, ids.Depth, AllChildren, hashes, _lanes, nodes);
    }
}
