namespace FileTransfer.Identity.Hashing;

/// <summary>A few chunk hashes in native memory; a backing file gets them when they are flushed.</summary>
internal sealed class MemoryHashStorage : HashStorage
{
    private readonly NativeBuffer _buffer;
    private readonly string? _backingFile;
    private readonly bool _readOnly;

    private MemoryHashStorage(long length, string? backingFile, bool readOnly)
    {
        _buffer = new NativeBuffer((int)length);
        _backingFile = backingFile;
        _readOnly = readOnly;
    }

    public static MemoryHashStorage Create(long length, string? backingFile)
    {
        var storage = new MemoryHashStorage(length, backingFile, readOnly: false);
        if (backingFile is not null && new FileInfo(backingFile) is { Exists: true } info && info.Length == length)
        {
            storage.Load(backingFile);
        }

        return storage;
    }

    public static MemoryHashStorage OpenRead(long length, string file)
    {
        var storage = new MemoryHashStorage(length, file, readOnly: true);
        storage.Load(file);
        return storage;
    }

    public override void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        RequireWritable(!_readOnly);
        _buffer.WriteSpan((ulong)offset, bytes);
    }

    public override void Read(long offset, Span<byte> destination) => _buffer.ReadSpan((ulong)offset, destination);

    public override void Flush()
    {
        if (_backingFile is null || _readOnly)
        {
            return;
        }

        using var file = OpenOrCreate(_backingFile);
        _buffer.Use(bytes => RandomAccess.Write(file, bytes, 0));
        RandomAccess.SetLength(file, (long)_buffer.ByteLength);
        Synchronize(file, _backingFile);
    }

    public override void Warm() { }

    public override void Dispose() => _buffer.Dispose();

    private void Load(string path)
    {
        using var file = OpenComplete(path, (long)_buffer.ByteLength);
        _buffer.Use(bytes => ReadExactly(file, 0, bytes));
    }

    /// <summary>Zeroed memory that is freed when the last who uses it is done.</summary>
    private sealed unsafe class NativeBuffer : SafeBuffer
    {
        public NativeBuffer(int length)
            : base(ownsHandle: true)
        {
            SetHandle((nint)NativeMemory.AllocZeroed((nuint)Math.Max(length, 1)));
            Initialize((ulong)length);
        }

        /// <summary>Has something done with all of it in place, instead of with a copy as large.</summary>
        public void Use(Action<Span<byte>> work)
        {
            byte* bytes = null;
            AcquirePointer(ref bytes);
            try
            {
                work(new Span<byte>(bytes, (int)ByteLength));
            }
            finally
            {
                ReleasePointer();
            }
        }

        protected override bool ReleaseHandle()
        {
            NativeMemory.Free((void*)handle);
            return true;
        }
    }
}
