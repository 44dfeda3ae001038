using System.IO.MemoryMappedFiles;

namespace FileTransfer.Identity.Hashing;

/// <summary>Many chunk hashes in a file, mapped into memory while they are walked.</summary>
/// <remarks>
/// Writes and reads are calls, not touches of mapped pages: a full or broken disk is then an exception and not the signal that ends
/// the process. For the same reason the file is read through once before it is mapped, which also brings its pages in order.
/// </remarks>
internal sealed class FileBackedHashStorage : HashStorage
{
    private readonly SafeFileHandle _file;
    private readonly string _path;
    private readonly bool _readOnly;

    private FileBackedHashStorage(SafeFileHandle file, string path, bool readOnly)
    {
        _file = file;
        _path = path;
        _readOnly = readOnly;
    }

    public static FileBackedHashStorage Create(long length, string? path)
    {
        var file = path is null ? OpenNameless() : OpenOrCreate(path);
        var storage = new FileBackedHashStorage(file, path ?? "a temporary file", readOnly: false);
        var found = RandomAccess.GetLength(file);
        if (found != length)
        {
            // A new file is not emptied: of what was, ext4 writes all to the disk when it is closed, though it may be nameless by then.
            if (found > 0)
            {
                RandomAccess.SetLength(file, 0);
            }

            RandomAccess.SetLength(file, length);
        }

        return storage;
    }

    public static FileBackedHashStorage OpenRead(long length, string path) =>
        new(OpenComplete(path, length), path, readOnly: true);

    public override void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        RequireWritable(!_readOnly);
        RandomAccess.Write(_file, bytes, offset);
    }

    public override void Read(long offset, Span<byte> destination) => ReadExactly(_file, offset, destination);

    public override void Flush()
    {
        if (!_readOnly)
        {
            Synchronize(_file, _path);
        }
    }

    public override Fingerprint Walk(Func<nint, Fingerprint> walk)
    {
        var length = RandomAccess.GetLength(_file);
        ReadThrough(length);
        using var map = MemoryMappedFile.CreateFromFile(
            _file,
            mapName: null,
            capacity: 0,
            MemoryMappedFileAccess.Read,
            HandleInheritability.None,
            leaveOpen: true
        );
        using var view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        return Walk(view.SafeMemoryMappedViewHandle, walk);
    }

    public override void Dispose() => _file.Dispose();

    private void ReadThrough(long length)
    {
        var buffer = PieceBufferPool.Rent(length);
        try
        {
            for (var at = 0L; at < length; at += buffer.Length)
            {
                ReadExactly(_file, at, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - at)));
            }
        }
        finally
        {
            PieceBufferPool.Return(buffer);
        }
    }
}
