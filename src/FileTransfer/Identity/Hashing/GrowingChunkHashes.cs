namespace FileTransfer.Identity.Hashing;

/// <summary>Computes the <see cref="ChunkHashes"/> of a content that arrives in order and whose size is known only at its end.</summary>
/// <param name="backingFile">Where they are kept, as in <see cref="ChunkHashes.Create"/>; what the file held is overwritten.</param>
public sealed class GrowingChunkHashes(string? backingFile = null) : IDisposable
{
    private readonly byte[] _shortChunk = new byte[ChunkHashes.ChunkSize];
    private int _shortLength;

    // Encoded hashes that are in memory still, from the offset _spilled on.
    private byte[] _encoded = ArrayPool<byte>.Shared.Rent(4096);
    private int _encodedLength;
    private long _spilled;
    private FileBackedHashStorage? _file;

    /// <summary>Bytes of content so far.</summary>
    public long Size => (HashedChunks * ChunkHashes.ChunkSize) + _shortLength;

    private long HashedChunks => (_spilled + _encodedLength) / Hash256.Length;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (_shortLength == 0 && bytes.Length >= ChunkHashes.ChunkSize)
            {
                var whole = Math.Min(bytes.Length / ChunkHashes.ChunkSize, MakeRoom() / Hash256.Length) * ChunkHashes.ChunkSize;
                AppendRun(bytes[..whole]);
                bytes = bytes[whole..];
                continue;
            }

            var taken = Math.Min(bytes.Length, ChunkHashes.ChunkSize - _shortLength);
            bytes[..taken].CopyTo(_shortChunk.AsSpan(_shortLength));
            _shortLength += taken;
            bytes = bytes[taken..];
            if (_shortLength == ChunkHashes.ChunkSize)
            {
                MakeRoom();
                _shortLength = 0;
                AppendRun(_shortChunk);
            }
        }
    }

    /// <summary>Ends the content and hands over its hashes; nothing can be appended any more.</summary>
    public ChunkHashes Complete()
    {
        var size = Size;
        if (_shortLength > 0)
        {
            MakeRoom();
            AppendRun(_shortChunk.AsSpan(0, _shortLength));
        }

        if (_file is null)
        {
            var hashes = ChunkHashes.Create(size, backingFile);
            hashes.WriteEncoded(0, _encoded.AsSpan(0, _encodedLength));
            return hashes;
        }

        Spill();
        var file = _file;
        _file = null;
        return new ChunkHashes(size, file);
    }

    public void Dispose()
    {
        _file?.Dispose();
        ArrayPool<byte>.Shared.Return(_encoded);
        _encoded = [];
    }

    private void AppendRun(ReadOnlySpan<byte> bytes) =>
        _encodedLength += ChunkHashes.Encode(HashedChunks, bytes, _encoded.AsSpan(_encodedLength));

    /// <summary>Makes room for at least one more hash, by growing up to the limit of what is kept in memory and then by writing it out.</summary>
    private int MakeRoom()
    {
        var capacity = Math.Min(_encoded.Length, ChunkHashes.InMemoryLimit);
        if (capacity - _encodedLength >= Hash256.Length)
        {
            return capacity - _encodedLength;
        }

        if (capacity == ChunkHashes.InMemoryLimit)
        {
            Spill();
            return capacity;
        }

        var larger = ArrayPool<byte>.Shared.Rent(2 * _encoded.Length);
        _encoded.AsSpan(0, _encodedLength).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_encoded);
        _encoded = larger;
        return Math.Min(_encoded.Length, ChunkHashes.InMemoryLimit) - _encodedLength;
    }

    private void Spill()
    {
        _file ??= FileBackedHashStorage.Create(0, backingFile);
        _file.Write(_spilled, _encoded.AsSpan(0, _encodedLength));
        _spilled += _encodedLength;
        _encodedLength = 0;
    }
}
