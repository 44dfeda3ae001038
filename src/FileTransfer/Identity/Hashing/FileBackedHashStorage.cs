namespace FileTransfer.Identity.Hashing;

/// <summary>Many chunk hashes in a file.</summary>
/// <remarks>
/// Writes and reads are calls, not touches of mapped pages: a full or broken disk is then an exception and not the signal that ends
/// the process, and the pages count as nobody's memory.
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

    public override void Dispose() => _file.Dispose();

    /// <summary>Has the system read the file in order, before its hashes are asked for in the order of their keys.</summary>
    public override void Warm()
    {
        var length = RandomAccess.GetLength(_file);
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
