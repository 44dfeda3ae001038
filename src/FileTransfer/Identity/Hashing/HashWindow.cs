namespace FileTransfer.Identity.Hashing;

/// <summary>
/// The hashes that a part of the trie is computed from, together in memory: of groups of <see cref="Neighbours"/> chunks whose ids have
/// all bits between those of the group's members and <c>shift</c> in common.
/// </summary>
/// <remarks>Memory does not grow with the content: a content that has more groups is taken in parts.</remarks>
internal sealed class HashWindow(HashStorage hashes, long size) : IDisposable
{
    /// <summary>Ids that follow one another and have keys which differ in the first byte only.</summary>
    public const int Neighbours = 64;

    /// <summary>1 MiB of hashes; as many chunks as have their hashes in memory anyway.</summary>
    public const int MostGroups = ChunkHashes.InMemoryLimit / GroupLength;

    /// <summary>Bits of an id that tell neighbours apart.</summary>
    public const int NeighbourBits = 6;

    private const int GroupLength = Neighbours * Hash256.Length;

    /// <summary>Whichever thread asks next gets them again, as with <see cref="PieceBufferPool"/>.</summary>
    internal static readonly ArrayPool<byte> Buffers = ArrayPool<byte>.Create(ChunkHashes.InMemoryLimit, maxArraysPerBucket: 4);

    private readonly ulong _count = Math.Min((ulong)ChunkHashes.ChunkCountOf(size), ChunkIdSet.EndOfFourBytes);
    private readonly long _encodedLength = ChunkHashes.EncodedLengthOf(size);
    private byte[] _bytes = [];
    private int _shift;

    /// <summary>Whether there is room for the groups whose first ids are 2^<paramref name="shift"/> apart.</summary>
    public bool HasRoomFor(int shift) => (_count - 1) >> shift < MostGroups;

    /// <summary>The first groups of all, in so far as there is room.</summary>
    public void LoadFirst()
    {
        Reserve(NeighbourBits);
        hashes.Read(0, _bytes.AsSpan(0, (int)Math.Min(_encodedLength, ChunkHashes.InMemoryLimit)));
    }

    /// <summary>The groups from <paramref name="first"/> on whose first ids are 2^<paramref name="shift"/> apart.</summary>
    public void Load(ulong first, int shift)
    {
        Reserve(shift);
        for (var id = first; id < _count; id += 1ul << shift)
        {
            var offset = (long)id * Hash256.Length;
            var group = _bytes.AsSpan(PlaceOf(id), (int)Math.Min(GroupLength, _encodedLength - offset));
            hashes.Read(offset, group);
        }
    }

    /// <summary>What is recorded of a chunk that is loaded, or of it and its next neighbours.</summary>
    public ReadOnlySpan<byte> Of(ulong id, int length) => _bytes.AsSpan(PlaceOf(id), length);

    public void Dispose()
    {
        Buffers.Return(_bytes);
        _bytes = [];
    }

    private int PlaceOf(ulong id) => (((int)(id >> _shift) * Neighbours) + (int)(id % Neighbours)) * Hash256.Length;

    private void Reserve(int shift)
    {
        _shift = shift;
        var groups = (int)Math.Min(((_count - 1) >> shift) + 1, MostGroups);
        if (_bytes.Length < groups * GroupLength)
        {
            Buffers.Return(_bytes);
            _bytes = Buffers.Rent(groups * GroupLength);
        }
    }
}
