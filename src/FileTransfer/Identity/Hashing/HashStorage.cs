namespace FileTransfer.Identity.Hashing;

/// <summary>Where the bytes of <see cref="ChunkHashes"/> are: native memory or a file.</summary>
internal abstract partial class HashStorage : IDisposable
{
    public abstract void Write(long offset, ReadOnlySpan<byte> bytes);

    public abstract void Read(long offset, Span<byte> destination);

    public abstract void Flush();

    /// <summary>Says that all of it will be read soon, in another order than it lies in.</summary>
    public abstract void Warm();

    public abstract void Dispose();

    protected static SafeFileHandle OpenOrCreate(string path) =>
        File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>A file that is gone with its handle, even when the process is killed.</summary>
    protected static SafeFileHandle OpenNameless()
    {
        var path = Path.Combine(Path.GetTempPath(), $"filetransfer-{Guid.NewGuid():n}.hashes");
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        File.Delete(path);
        return file;
    }

    protected static SafeFileHandle OpenComplete(string path, long length)
    {
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var found = RandomAccess.GetLength(file);
        if (found == length)
        {
            return file;
        }

        file.Dispose();
        throw new InvalidDataException(
            $"{path} has {found} bytes; these chunk hashes have {length}. Delete it to compute them again."
        );
    }

    protected static void ReadExactly(SafeFileHandle file, long offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
            {
                throw new EndOfStreamException(
                    $"The file of chunk hashes ends at {offset}, {destination.Length} bytes too early."
                );
            }

            offset += read;
            destination = destination[read..];
        }
    }

    protected static void RequireWritable(bool writable)
    {
        if (!writable)
        {
            throw new InvalidOperationException("These chunk hashes were opened to be read; create them to record some.");
        }
    }

    /// <summary>fsync(2) itself: the runtime's own flush has been seen to hide its failure.</summary>
    protected static void Synchronize(SafeFileHandle file, string path)
    {
        if (FileSync(file) != 0)
        {
            throw new IOException(
                $"The chunk hashes in {path} could not be made durable: {Marshal.GetLastPInvokeErrorMessage()}."
            );
        }
    }

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSync(SafeFileHandle file);
}
