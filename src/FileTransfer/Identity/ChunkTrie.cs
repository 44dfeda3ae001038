using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace FileTransfer.Identity;

/// <summary>
/// The root of the base-16 Patricia trie over a content's chunks (Substrate's state trie, layout V1, BLAKE2b-256): a fingerprint.
/// </summary>
/// <remarks>
/// Walks the trie depth first over <see cref="ChunkIdSet"/>s, so no node is ever an object: memory is one frame of 16 encoded
/// children per level. Nodes: leaf <c>0b01 | 0b001, nibbles, value | hash</c>; branch <c>0b10, nibbles, u16 LE bitmap, children</c>.
/// </remarks>
internal static unsafe class ChunkTrie
{
    private const int CarriedLeaf = 0b0100_0000;
    private const int HashedLeaf = 0b0010_0000;
    private const int Branch = 0b1000_0000;

    /// <summary>From this many chunks on, the sixteen subtrees below the root are shared out to the cores.</summary>
    private const long WorthSharingOut = 16 * 1024;

    /// <summary>Room for one encoded node, the longest has 540 bytes, in whole blocks: what follows the node is zero up to its block's end.</summary>
    private const int SlotLength = 5 * Blake2b.BlockLength;

    /// <summary>The root over <paramref name="encoded"/>, the <see cref="ChunkHashes"/> of a content of <paramref name="size"/> bytes.</summary>
    public static Fingerprint Root(byte* encoded, long size, int maxDegreeOfParallelism)
    {
        if (size == 0)
        {
            return new Fingerprint(Blake2b.Hash256([0]));
        }

        var walk = new Walk(encoded, size);
        Span<byte> slot = stackalloc byte[SlotLength];
        var length = walk.EncodeRoot(slot, maxDegreeOfParallelism);
        return new Fingerprint(Blake2b.Hash256(slot[..length]));
    }

    private readonly struct Walk(byte* encoded, long size)
    {
        private readonly byte* _encoded = encoded;
        private readonly ulong _count = (ulong)ChunkHashes.ChunkCountOf(size);
        private readonly int _lastLength = ChunkValue.EncodedLength(ChunkHashes.LastLengthOf(size));
        private readonly bool _lastIsCarried = ChunkValue.IsCarried(ChunkHashes.LastLengthOf(size));

        public int EncodeRoot(Span<byte> destination, int maxDegreeOfParallelism)
        {
            // Four ids and fewer share their first nibble: then the root is the node below it.
            if (_count <= 4)
            {
                return EncodeFirstNibble(0, 0, destination);
            }

            var children = new Children(stackalloc byte[16 * SlotLength], stackalloc int[16]);
            if (_count < WorthSharingOut || maxDegreeOfParallelism == 1)
            {
                for (var nibble = 0; nibble < 16; nibble++)
                {
                    children.Lengths[nibble] = HasFirstNibble(nibble) ? EncodeFirstNibble(nibble, 1, children.Slot(nibble)) : 0;
                }
            }
            else
            {
                EncodeFirstNibblesInParallel(children, maxDegreeOfParallelism);
            }

            return EncodeBranch(default, 0, 0, children, destination);
        }

        private bool HasFirstNibble(int nibble) => _count > (ulong)nibble << 2;

        private void EncodeFirstNibblesInParallel(Children children, int maxDegreeOfParallelism)
        {
            var walk = this;
            fixed (byte* slots = children.Slots)
            fixed (int* lengths = children.Lengths)
            {
                var (firstSlot, firstLength) = ((nint)slots, (nint)lengths);
                Parallel.For(
                    0,
                    16,
                    new ParallelOptions { MaxDegreeOfParallelism = maxDegreeOfParallelism },
                    nibble =>
                    {
                        var slot = new Span<byte>((byte*)firstSlot + (nibble * SlotLength), SlotLength);
                        ((int*)firstLength)[nibble] = walk.EncodeFirstNibble(nibble, 1, slot);
                    }
                );
            }
        }

        /// <summary>Encodes the node of all keys that start with <paramref name="firstNibble"/>; its own nibbles begin at <paramref name="from"/>.</summary>
        [SkipLocalsInit]
        private int EncodeFirstNibble(int firstNibble, int from, Span<byte> destination)
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

            var children = new Children(stackalloc byte[16 * SlotLength], stackalloc int[16]);
            for (var nibble = 0; nibble < 16; nibble++)
            {
                var ids = ChunkIdSet.StartingWith(firstNibble, nibble, _count);
                children.Lengths[nibble] = ids.IsEmpty ? 0 : EncodeNode(ids, 2, children.Slot(nibble));
            }

            return EncodeBranch(new Key((ulong)firstNibble << 60), from, 1, children, destination);
        }

        /// <summary>Encodes the node of these ids; its own nibbles begin at <paramref name="from"/>, at or above the set's depth.</summary>
        [SkipLocalsInit]
        private int EncodeNode(ChunkIdSet ids, int from, Span<byte> destination)
        {
            if (ids.IsSingle)
            {
                return EncodeLeaf(ids, from, destination);
            }

            var children = new Children(stackalloc byte[16 * SlotLength], stackalloc int[16]);
            while (true)
            {
                var found = 0;
                var last = default(ChunkIdSet);
                for (var nibble = 0; nibble < 16; nibble++)
                {
                    var child = ids.Child(nibble);
                    if (child.IsEmpty)
                    {
                        children.Lengths[nibble] = 0;
                        continue;
                    }

                    // The first child waits until there is a second: alone it is the same node, one nibble longer.
                    if (found == 1)
                    {
                        var waiting = new Key(last).Nibble(ids.Depth);
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
                    return EncodeBranch(new Key(ids), from, ids.Depth, children, destination);
                }

                ids = last;
            }
        }

        private int EncodeLeaf(ChunkIdSet ids, int from, Span<byte> destination)
        {
            var isLast = ids.First == _count - 1;
            var carried = isLast && _lastIsCarried;
            destination[..Blake2b.BlockLength].Clear();
            var at = new Key(ids).WriteNibbles(from, 2 * ids.KeyLength, carried ? CarriedLeaf : HashedLeaf, destination);
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

        private static int EncodeBranch(Key key, int from, int depth, Children children, Span<byte> destination)
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
            var blockEnd = (at + Blake2b.BlockLength - 1) / Blake2b.BlockLength * Blake2b.BlockLength;
            destination[at..blockEnd].Clear();
            return at;
        }
    }

    /// <summary>The sixteen children of a branch, encoded; a child that is not there has length 0.</summary>
    private readonly ref struct Children(Span<byte> slots, Span<int> lengths)
    {
        public Span<byte> Slots { get; } = slots;

        public Span<int> Lengths { get; } = lengths;

        public Span<byte> Slot(int nibble) => Slots.Slice(nibble * SlotLength, SlotLength);

        /// <summary>Writes each child as <c>compact(length) ‖ reference</c>: its encoding when shorter than 32 bytes, else the hash of it.</summary>
        [SkipLocalsInit]
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

        /// <summary>Neighbours of one length, which nearly all are, are hashed side by side.</summary>
        private void HashLongOnes(Span<byte> hashes)
        {
            for (var first = 0; first < 16; )
            {
                var end = first + 1;
                while (end < 16 && Lengths[end] == Lengths[first])
                {
                    end++;
                }

                if (Lengths[first] >= Hash256.Length)
                {
                    Blake2bLanes.HashPadded(
                        Slots[(first * SlotLength)..],
                        SlotLength,
                        Lengths[first],
                        end - first,
                        hashes[(first * Hash256.Length)..]
                    );
                }

                first = end;
            }
        }
    }

    /// <summary>The first bytes of a key, left-aligned in a number: eight bytes hold every key a file can have.</summary>
    private readonly struct Key(ulong bytes)
    {
        public Key(ChunkIdSet ids)
            : this(
                ids.KeyLength > 4
                    ? ((ulong)(((ids.KeyLength - 5) << 2) | 3) << 56) | (BinaryPrimitives.ReverseEndianness(ids.First) >> 8)
                    : BinaryPrimitives.ReverseEndianness((ids.First << 2) | (uint)BitOperations.Log2((uint)ids.KeyLength))
            ) { }

        public int Nibble(int depth) => (int)(bytes >> (60 - (4 * depth))) & 15;

        /// <summary>Writes the header and the nibbles from <paramref name="from"/> to <paramref name="to"/>, two per byte; an odd count starts with a byte of one.</summary>
        public int WriteNibbles(int from, int to, int kind, Span<byte> destination)
        {
            destination[0] = (byte)(kind | (to - from));
            var at = 1;
            if ((to - from) % 2 != 0)
            {
                destination[at++] = (byte)Nibble(from++);
            }

            for (; from < to; from += 2)
            {
                destination[at++] = (byte)((Nibble(from) << 4) | Nibble(from + 1));
            }

            return at;
        }
    }
}
