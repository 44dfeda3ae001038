using FileTransfer.Chunks.Durability;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

/// <summary>A content that arrives in order, of a size and fingerprint that its end decides.</summary>
/// <remarks>
/// It has no name to be found again by, so it is removed when disposed, and at the next start after a crash. A small one stays in memory.
/// </remarks>
public sealed class IncomingFile : IDisposable
{
    /// <summary>Bytes are hashed and written in pieces of this length, however they come.</summary>
    private const int PieceLength = 256 * 1024;

    /// <summary>Nobody said how long it is: whether the disk's floor is reached is looked at after so many bytes.</summary>
    private const int LookAfter = 64 * PieceLength;

    private readonly GrowingChunkHashes _growing;
    private readonly byte[] _piece = ArrayPool<byte>.Shared.Rent(PieceLength);
    private int _pieceLength;
    private SafeFileHandle? _data;
    private ChunkHashes? _hashes;
    private bool _closed;

    private readonly Action _requireFloor;

    internal IncomingFile(string folder, Action requireFloor)
    {
        _requireFloor = requireFloor;
        Folder = folder;
        Path = StorePaths.DataOf(folder);
        _growing = new GrowingChunkHashes(StorePaths.HashesOf(folder));
    }

    public long Size { get; private set; }

    /// <summary>The root of what came; known once <see cref="Complete"/> has been called.</summary>
    public Fingerprint Fingerprint { get; private set; }

    /// <summary>The whole of a small content, which is stored from memory; null of a larger one, and before <see cref="Complete"/>.</summary>
    public ProvenBytes? Small { get; private set; }

    public bool IsComplete => _hashes is not null || Small is not null;

    internal string Folder { get; }

    /// <summary>Where the bytes are, of what is not small.</summary>
    internal string Path { get; }

    internal SafeFileHandle Data => _data ?? throw new InvalidOperationException("The content is not on disk.");

    internal ChunkHashes Hashes => _hashes ?? throw new InvalidOperationException("The content has not been completed yet.");

    /// <exception cref="DiskFullException">There is no room for them.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (IsComplete)
        {
            throw new InvalidOperationException("The content is complete; nothing can be appended to it.");
        }

        while (bytes.Length > 0)
        {
            var taken = bytes[..Math.Min(bytes.Length, PieceLength - _pieceLength)];
            taken.CopyTo(_piece.AsSpan(_pieceLength));
            _pieceLength += taken.Length;
            bytes = bytes[taken.Length..];
            if (_pieceLength == PieceLength)
            {
                WritePiece();
            }
        }
    }

    public Fingerprint Complete()
    {
        if (IsComplete)
        {
            return Fingerprint;
        }

        if (_data is null && _pieceLength > 0 && ChunkStore.IsSmall(_pieceLength))
        {
            Small = ProvenBytes.Of(_piece.AsMemory(0, _pieceLength));
            Size = _pieceLength;
            Fingerprint = Small.Fingerprint;
        }
        else
        {
            WritePiece();
            _hashes = DiskFullException.Guard(Path, _growing.Complete);
            Fingerprint = _hashes.ComputeFingerprint();
        }

        return Fingerprint;
    }

    public void Dispose()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        ArrayPool<byte>.Shared.Return(_piece);
        _growing.Dispose();
        _hashes?.Dispose();
        _data?.Dispose();
        ChunkStore.RemoveFolder(Folder);
    }

    private void WritePiece()
    {
        if (_pieceLength == 0)
        {
            return;
        }

        DiskFullException.Guard(
            Path,
            () =>
            {
                Directory.CreateDirectory(Folder);
                _data ??= File.OpenHandle(Path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
                var piece = _piece.AsSpan(0, _pieceLength);
                RandomAccess.Write(_data, piece, Size);
                _growing.Append(piece);
            }
        );
        Size += _pieceLength;
        _pieceLength = 0;
        if (Size % LookAfter == 0)
        {
            _requireFloor();
        }
    }
}
