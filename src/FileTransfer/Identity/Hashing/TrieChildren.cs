namespace FileTransfer.Identity.Hashing;

/// <summary>The sixteen children of a branch, encoded; a child that is not there has length 0.</summary>
internal readonly ref struct TrieChildren(Span<byte> slots, Span<int> lengths)
{
    /// <summary>Room for one encoded node, the longest has 540 bytes, in whole blocks: what follows the node is zero up to its block's end.</summary>
    public const int SlotLength = 5 * Blake2b.BlockLength;

    public Span<byte> Slots { get; } = slots;

    public Span<int> Lengths { get; } = lengths;

    public Span<byte> Slot(int nibble) => Slots.Slice(nibble * SlotLength, SlotLength);

    /// <summary>Writes each child as <c>compact(length) ‖ reference</c>: its encoding when shorter than 32 bytes, else the hash of it.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int WriteReferences(Span<byte> destination)
    {
        Span<byte> hashes = stackalloc byte[16 * Hash256.Length];
        HashLongOnes(hashes);
        var at = 0;
        for (var nibble = 0; nibble < 16; nibble++)
        {
            var length = Lengths[nibble];
            if (length == 0)
            {
                continue;
            }

            var reference =
                length < Hash256.Length ? Slot(nibble)[..length] : hashes.Slice(nibble * Hash256.Length, Hash256.Length);
            at += ScaleCompact.Write(destination[at..], (ulong)reference.Length);
            reference.CopyTo(destination[at..]);
            at += reference.Length;
        }

        return at;
    }

    /// <summary>Children of one length, and nearly all have one length, are hashed side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void HashLongOnes(Span<byte> hashes)
    {
        for (var first = 0; first < 16; first += Blake2bLanes.Count)
        {
            var group = Lengths.Slice(first, Blake2bLanes.Count);
            var done = 0u;
            for (var i = 0; i < group.Length; i++)
            {
                if (group[i] < Hash256.Length || (done >> i & 1) != 0)
                {
                    continue;
                }

                var same = 0u;
                for (var j = i; j < group.Length; j++)
                {
                    same |= group[j] == group[i] ? 1u << j : 0;
                }

                Blake2bLanes.HashPadded(
                    Slots[(first * SlotLength)..],
                    SlotLength,
                    group[i],
                    same,
                    hashes[(first * Hash256.Length)..]
                );
                done |= same;
            }
        }
    }
}
