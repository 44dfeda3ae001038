namespace FileTransfer.Identity.Hashing;

/// <summary>The hashes of all chunk values of one content of known size: what proves each chunk alone, and the fingerprint with them.</summary>
/// <remarks>
/// Encoded form, the bytes of <c>.hashes</c>: 32 bytes per chunk in order of id, the BLAKE2b-256 of the chunk's value
/// <c>u64 LE id ‖ compact(length) ‖ bytes</c>. A last value shorter than 33 bytes (a last chunk of at most 23) is carried itself
/// instead. Up to <see cref="InMemoryLimit"/> they are in memory, else in a file: memory does not grow with the content.
/// Different runs may be set and compared from several threads at once.
/// </remarks>
public sealed class ChunkHashes : IDisposable
{
    public const int ChunkSize = 1024;

    /// <summary>Encoded hashes up to this length, those of 32 MiB of content, are kept in memory.</summary>
    public const int InMemoryLimit = 1024 * 1024;

    private const int ChunksAtOnce = 256;

    private readonly HashStorage _storage;

    internal ChunkHashes(long size, HashStorage storage)
    {
        Size = size;
        ChunkCount = ChunkCountOf(size);
        EncodedLength = EncodedLengthOf(size);
        _storage = storage;
    }

    /// <summary>Bytes of content.</summary>
    public long Size { get; }

    public long ChunkCount { get; }

    public long EncodedLength { get; }

    public static long EncodedLengthOf(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return size == 0 ? 0 : ((ChunkCountOf(size) - 1) * Hash256.Length) + ChunkValue.EncodedLength(LastLengthOf(size));
    }

    /// <summary>
    /// Hashes to be filled in. They are kept in <paramref name="backingFile"/>: one of the right length is opened as it is, any other
    /// becomes one of zeros. Up to <see cref="InMemoryLimit"/> only <see cref="Flush"/> writes the file. Without a file, large hashes
    /// are in a nameless temporary one.
    /// </summary>
    public static ChunkHashes Create(long size, string? backingFile = null)
    {
        var length = EncodedLengthOf(size);
        return new ChunkHashes(
            size,
            length <= InMemoryLimit
                ? MemoryHashStorage.Create(length, backingFile)
                : FileBackedHashStorage.Create(length, backingFile)
        );
    }

    /// <summary>Opens complete hashes read-only.</summary>
    /// <exception cref="InvalidDataException">The file has not the length that hashes of this size have.</exception>
    public static ChunkHashes Open(long size, string file)
    {
        var length = EncodedLengthOf(size);
        return new ChunkHashes(
            size,
            length <= InMemoryLimit ? MemoryHashStorage.OpenRead(length, file) : FileBackedHashStorage.OpenRead(length, file)
        );
    }

    /// <summary>As <see cref="Open"/>, but read from the file whenever they are asked for, however few they are.</summary>
    /// <exception cref="InvalidDataException">The file has not the length that hashes of this size have.</exception>
    public static ChunkHashes OpenInFile(long size, string file) =>
        new(size, FileBackedHashStorage.OpenRead(EncodedLengthOf(size), file));

    /// <summary>Copies complete hashes, small ones.</summary>
    public static ChunkHashes Read(long size, ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length != EncodedLengthOf(size))
        {
            throw new InvalidDataException(
                $"Chunk hashes of a content of {size} bytes have {EncodedLengthOf(size)} bytes, not {encoded.Length}."
            );
        }

        var hashes = Create(size);
        hashes.WriteEncoded(0, encoded);
        return hashes;
    }

    /// <summary>Bytes of this chunk: 1024, or what is left for the last one.</summary>
    public int LengthOf(long chunkId)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(chunkId);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(chunkId, ChunkCount);
        return chunkId == ChunkCount - 1 ? LastLengthOf(Size) : ChunkSize;
    }

    /// <summary>Computes and records the hashes of a run of whole chunks; only the content's last chunk may be short.</summary>
    public void Set(long firstChunk, ReadOnlySpan<byte> bytes)
    {
        RequireRun(firstChunk, bytes);
        Span<byte> encoded = stackalloc byte[ChunksAtOnce * Hash256.Length];
        while (bytes.Length > 0)
        {
            var part = bytes[..Math.Min(bytes.Length, ChunksAtOnce * ChunkSize)];
            var length = Encode(firstChunk, part, encoded);
            _storage.Write(firstChunk * Hash256.Length, encoded[..length]);
            firstChunk += ChunksAtOnce;
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>The id of the first chunk of this run that has not the hash recorded here, or -1 when all have.</summary>
    public long FirstMismatch(long firstChunk, ReadOnlySpan<byte> bytes) => FirstMismatch(firstChunk, bytes, ChunkSize);

    /// <summary>
    /// The same for chunks that start <paramref name="stride"/> bytes apart, as they do in frames: from the first byte of the first one
    /// to the last byte of the last one.
    /// </summary>
    public long FirstMismatch(long firstChunk, ReadOnlySpan<byte> bytes, int stride)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, ChunkSize);
        Span<byte> encoded = stackalloc byte[ChunksAtOnce * Hash256.Length];
        Span<byte> recorded = stackalloc byte[ChunksAtOnce * Hash256.Length];
        while (bytes.Length > 0)
        {
            var count = Math.Min(ChunksAtOnce, (bytes.Length + stride - 1) / stride);
            var lastLength = Math.Min(ChunkSize, bytes.Length - ((count - 1) * stride));
            RequireRun(firstChunk, count, lastLength);
            var whole = lastLength == ChunkSize ? count : count - 1;
            var length = whole * Hash256.Length;
            Blake2bLanes.HashChunks(firstChunk, bytes, stride, whole, encoded);
            if (whole < count)
            {
                length += ChunkValue.Encode(firstChunk + whole, bytes.Slice(whole * stride, lastLength), encoded[length..]);
            }

            _storage.Read(firstChunk * Hash256.Length, recorded[..length]);
            var same = encoded[..length].CommonPrefixLength(recorded[..length]);
            if (same < length)
            {
                return firstChunk + (same / Hash256.Length);
            }

            firstChunk += count;
            bytes = bytes[Math.Min(bytes.Length, count * stride)..];
        }

        return -1;
    }

    /// <summary>Records a piece of the encoded form.</summary>
    public void WriteEncoded(long offset, ReadOnlySpan<byte> bytes)
    {
        RequireInside(offset, bytes.Length);
        _storage.Write(offset, bytes);
    }

    /// <summary>Reads a piece of the encoded form; what was never recorded reads as zeros.</summary>
    public void ReadEncoded(long offset, Span<byte> destination)
    {
        RequireInside(offset, destination.Length);
        _storage.Read(offset, destination);
    }

    /// <summary>Makes what is recorded durable in the backing file, where there is one.</summary>
    public void Flush() => _storage.Flush();

    /// <summary>The root of the chunk trie over these hashes. Memory does not grow with their number; many are shared out to the cores.</summary>
    public Fingerprint ComputeFingerprint() => ComputeFingerprint(Environment.ProcessorCount);

    public void Dispose() => _storage.Dispose();

    internal static long ChunkCountOf(long size) => (size / ChunkSize) + (size % ChunkSize == 0 ? 0 : 1);

    internal static int LastLengthOf(long size) => (int)(size - ((ChunkCountOf(size) - 1) * ChunkSize));

    internal Fingerprint ComputeFingerprint(int maxDegreeOfParallelism) => ChunkTrie.Root(_storage, Size, maxDegreeOfParallelism);

    /// <summary>Writes the encoded form of a run of at most <see cref="ChunksAtOnce"/> chunks and returns its length.</summary>
    internal static int Encode(long firstChunk, ReadOnlySpan<byte> bytes, Span<byte> destination)
    {
        var (whole, rest) = Math.DivRem(bytes.Length, ChunkSize);
        Blake2bLanes.HashChunks(firstChunk, bytes[..(whole * ChunkSize)], destination);
        return rest == 0
            ? whole * Hash256.Length
            : (whole * Hash256.Length)
                + ChunkValue.Encode(firstChunk + whole, bytes[(whole * ChunkSize)..], destination[(whole * Hash256.Length)..]);
    }

    private void RequireRun(long firstChunk, int count, int lastLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstChunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstChunk, ChunkCount - count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(lastLength, LengthOf(firstChunk + count - 1));
    }

    private void RequireRun(long firstChunk, ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstChunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstChunk, ChunkCount);
        var left = Size - Math.Min(Size, firstChunk * ChunkSize);
        if (bytes.Length > left || (bytes.Length % ChunkSize != 0 && bytes.Length != left))
        {
            throw new ArgumentException(
                $"{bytes.Length} bytes from chunk {firstChunk} on are not whole chunks of a content of {Size} bytes.",
                nameof(bytes)
            );
        }
    }

    private void RequireInside(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, EncodedLength - length);
    }
}
