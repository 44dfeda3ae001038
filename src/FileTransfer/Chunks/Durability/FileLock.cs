namespace FileTransfer.Chunks.Durability;

/// <summary>The exclusive lock of a file, by flock(2). The kernel takes it back when the process ends, however it ends.</summary>
/// <remarks>The runtime's own lock goes without where the file system has none, and says nothing.</remarks>
internal sealed partial class FileLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private FileLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes the lock of a file, which is made when missing; null when another open file has it.</summary>
    /// <param name="words">What the one that has it wrote; empty where this one has.</param>
    public static FileLock? TryTake(string path, out string words)
    {
        const int ReadWriteCreateCloseOnExec = 0x80042;
        var file = Open(path, ReadWriteCreateCloseOnExec, 0x1A4);
        if (file.IsInvalid)
        {
            throw DurableFile.Fault($"The lock file {path} could not be opened", Marshal.GetLastPInvokeError());
        }

        try
        {
            if (TryLock(file, path))
            {
                words = "";
                return new FileLock(file);
            }

            Span<byte> text = stackalloc byte[64];
            words = Encoding.UTF8.GetString(text[..RandomAccess.Read(file, text, 0)]);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        file.Dispose();
        return null;
    }

    /// <summary>Leaves a few words in the file for whoever finds it locked.</summary>
    public void Write(string words)
    {
        RandomAccess.SetLength(_file, 0);
        RandomAccess.Write(_file, Encoding.UTF8.GetBytes(words), 0);
    }

    /// <summary>Unlocks in so many words: a child process that is just being started may have a copy of the open file.</summary>
    public void Dispose()
    {
        const int Release = 8;
        if (!_file.IsClosed)
        {
            _ = Lock(_file, Release);
            _file.Dispose();
        }
    }

    private static bool TryLock(SafeFileHandle file, string path)
    {
        const int ExclusiveNonBlocking = 2 | 4;
        const int Interrupted = 4;
        const int WouldBlock = 11;
        while (Lock(file, ExclusiveNonBlocking) != 0)
        {
            switch (Marshal.GetLastPInvokeError())
            {
                case WouldBlock:
                    return false;
                case not Interrupted and var errno:
                    throw DurableFile.Fault($"{path} could not be locked; put the folder on a file system that has locks", errno);
            }
        }

        return true;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(SafeFileHandle file, int operation);
}
