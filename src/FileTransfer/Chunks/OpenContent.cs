using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

/// <summary>A content, open to be read: a stored one, or one under way. It stays readable until disposed, also when it is deleted meanwhile.</summary>
/// <remarks>
/// Of one under way (<see cref="Arriving"/>) only what is here is to be read.
/// What was proven when it was stored need not be right any more. With a <see cref="Proof"/> every byte that is read is proven again; without
/// one the reader has to do it. A small one is in memory, and was proven when it was opened.
/// </remarks>
public sealed class OpenContent : IDisposable
{
    private readonly ReadOnlyMemory<byte> _bytes;

    internal OpenContent(SafeFileHandle file, Fingerprint fingerprint)
    {
        File = file;
        Fingerprint = fingerprint;
        Size = RandomAccess.GetLength(file);
    }

    internal OpenContent(SafeFileHandle file, ArrivingContent arriving)
    {
        File = file;
        Fingerprint = arriving.Fingerprint;
        Size = arriving.Size;
        Arriving = arriving;
    }

    /// <param name="bytes">All of it, proven.</param>
    internal OpenContent(ReadOnlyMemory<byte> bytes, Fingerprint fingerprint)
    {
        _bytes = bytes;
        Fingerprint = fingerprint;
        Size = bytes.Length;
    }

    /// <summary>Null where all of it is in memory.</summary>
    public SafeFileHandle? File { get; }

    public long Size { get; }

    public Fingerprint Fingerprint { get; }

    /// <summary>The download that brings it, whose file this is; null for a stored content.</summary>
    public ArrivingContent? Arriving { get; }

    /// <summary>What proves the bytes as they are read; null where the reader proves them himself.</summary>
    public ContentProof? Proof { get; internal set; }

    public void Dispose()
    {
        Proof?.Dispose();
        if (Arriving is null)
        {
            File?.Dispose();
        }
        else
        {
            Arriving.Release();
        }
    }

    /// <summary>What would show a change. What is in memory does not change.</summary>
    internal FileIdentity Identity() => File is null ? default : FileIdentity.Of(File);

    /// <summary>Reads, and proves where there is a <see cref="Proof"/>.</summary>
    /// <exception cref="ContentDamagedException">The bytes are not those of this content, or cannot be read.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        ReadExactly(offset, destination);
        Proof?.Require(offset, destination);
    }

    /// <summary>Reads without a proof.</summary>
    /// <exception cref="ContentDamagedException">The file ends before the destination is full, or cannot be read.</exception>
    internal void ReadExactly(long offset, Span<byte> destination)
    {
        if (File is null)
        {
            _bytes.Span.Slice((int)offset, destination.Length).CopyTo(destination);
            return;
        }

        while (destination.Length > 0)
        {
            int read;
            try
            {
                read = RandomAccess.Read(File, destination, offset);
            }
            catch (Exception fault) when (ContentDamagedException.IsDamage(fault))
            {
                throw ContentDamagedException.Unreadable(Fingerprint, fault);
            }

            if (read == 0)
            {
                throw new ContentTruncatedException(Fingerprint, Size, offset);
            }

            offset += read;
            destination = destination[read..];
        }
    }

    /// <summary>Reads all of it without a proof, in pieces of whole chunks.</summary>
    /// <inheritdoc cref="ReadExactly" path="/exception"/>
    internal void ReadThrough(PieceReader read)
    {
        var buffer = PieceBufferPool.Rent(Math.Max(Size, ChunkFrame.ChunkLength));
        try
        {
            var length = buffer.Length / ChunkFrame.ChunkLength * ChunkFrame.ChunkLength;
            for (var at = 0L; at < Size; at += length)
            {
                var piece = buffer.AsSpan(0, (int)Math.Min(length, Size - at));
                ReadExactly(at, piece);
                read(at / ChunkFrame.ChunkLength, piece);
            }
        }
        finally
        {
            PieceBufferPool.Return(buffer);
        }
    }

    /// <summary>Takes the bytes of a content from a chunk on.</summary>
    internal delegate void PieceReader(long firstChunk, ReadOnlySpan<byte> bytes);
}
