namespace FileTransfer.Chunks.Durability;

/// <summary>The system calls that decide whether something outlives a power failure, made directly and their results looked at.</summary>
/// <remarks>
/// The runtime's own flush has been seen to hide a failing fsync, its move falls back to a copy between file systems, and neither
/// knows folders.
/// </remarks>
internal static partial class DurableFile
{
    private const int Interrupted = 4;
    private const int CloseOnExec = 0x80000;

    /// <exception cref="FsyncFailedException">The bytes may be lost although they can still be read: do not trust the file again.</exception>
    public static void Fsync(SafeFileHandle file, string path)
    {
        while (FsyncFile(file) != 0)
        {
            RequireInterrupted(path);
        }
    }

    /// <summary>Makes the names in a folder durable: what was created, renamed or removed there.</summary>
    public static void FsyncFolder(string path)
    {
        using var folder = OpenFolder(path);
        Fsync(folder, path);
    }

    /// <summary>Makes a folder, and those above it, with names that outlive a power failure. Nothing happens when it is there.</summary>
    public static void CreateFolder(string path)
    {
        if (Directory.Exists(path) || Path.GetDirectoryName(path) is not { } parent)
        {
            return;
        }

        CreateFolder(parent);
        Directory.CreateDirectory(path);
        FsyncFolder(parent);
    }

    /// <summary>Whether the kernel says of a flush of a whole file system that it failed: Linux does since 5.8.</summary>
    public static bool ToldOfFailedFlushes { get; } =
        OperatingSystem.IsLinux() && Environment.OSVersion.Version >= new Version(5, 8);

    /// <summary>Opens a folder for <see cref="FlushFileSystem"/>, which tells of what failed from now on: open it before writing.</summary>
    public static SafeFileHandle OpenFolder(string path)
    {
        var folder = OpenPath(path, CloseOnExec, 0);
        return folder.IsInvalid
            ? throw Fault($"The folder {path} could not be opened to make it durable", Marshal.GetLastPInvokeError())
            : folder;
    }

    /// <summary>Makes all that was written to the file system of a folder durable, names too. Worth it where that is many files.</summary>
    /// <exception cref="FsyncFailedException">Some of it may be lost although it can still be read: do not trust any of it.</exception>
    public static void FlushFileSystem(SafeFileHandle folder, string path)
    {
        while (SyncFileSystem(folder) != 0)
        {
            RequireInterrupted(path);
        }
    }

    /// <summary>Gives a file its new name in one step, in place of what had that name.</summary>
    public static void Rename(string from, string to)
    {
        if (RenamePath(from, to) == 0)
        {
            return;
        }

        var errno = Marshal.GetLastPInvokeError();
        throw DiskFullException.IsDiskFull(errno)
            ? new DiskFullException(to, inner: null)
            : Fault($"{from} could not be renamed to {to}; all of the data directory must be on one file system", errno);
    }

    /// <summary>Writes at a place of an open file.</summary>
    /// <exception cref="DiskFullException">There is no room for it.</exception>
    public static void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset, string path)
    {
        try
        {
            RandomAccess.Write(file, bytes, offset);
        }
        catch (IOException exception) when (DiskFullException.IsDiskFull(exception))
        {
            throw new DiskFullException(path, exception);
        }
    }

    /// <summary>Makes a file whose bytes are durable. Its name is with its folder: <see cref="FsyncFolder"/>.</summary>
    /// <exception cref="DiskFullException">There is no room for it.</exception>
    public static void Create(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = DiskFullException.Guard(path, () => File.OpenHandle(path, FileMode.Create, FileAccess.Write));
        Write(file, bytes, 0, path);
        Fsync(file, path);
    }

    /// <summary>Makes a file that was not there and that its owner alone may read, with bytes that are durable.</summary>
    /// <exception cref="DiskFullException">There is no room for it.</exception>
    public static void CreateSecret(string path, ReadOnlySpan<byte> bytes)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using var file = DiskFullException.Guard(path, () => new FileStream(path, options));
        Write(file.SafeFileHandle, bytes, 0, path);
        Fsync(file.SafeFileHandle, path);
    }

    /// <summary>Gives a file other bytes, durably and in one step; made when missing.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        var beside = path + ".new";
        Create(beside, bytes);
        Rename(beside, path);
        FsyncFolder(Path.GetDirectoryName(path)!);
    }

    public static void MakeReadOnly(string path) =>
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

    public static void MakeWritable(string path) =>
        File.SetUnixFileMode(
            path,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead
        );

    /// <summary>Where the next written bytes of a sparse file start, from <paramref name="offset"/> on; <paramref name="length"/> when none do.</summary>
    public static long NextData(SafeFileHandle file, long offset, long length)
    {
        const int SeekData = 3;
        const int NothingBeyond = 6;
        var found = Seek(file, offset, SeekData);
        if (found >= 0)
        {
            return found;
        }

        // A file system without holes knows no such call; all of its bytes are data.
        return Marshal.GetLastPInvokeError() == NothingBeyond ? length : offset;
    }

    /// <summary>Gives a file the blocks of another one of its file system, which parts them when either is written to (FICLONE).</summary>
    /// <returns>False where the file system does not do that; nothing has changed then.</returns>
    public static bool TryClone(SafeFileHandle from, SafeFileHandle to)
    {
        const uint Clone = 0x40049409;
        return OperatingSystem.IsLinux() && Control(to, Clone, from) == 0;
    }

    /// <summary>Gives an open file one more name on its file system.</summary>
    /// <returns>False where that cannot be.</returns>
    public static bool TryLink(SafeFileHandle file, string name)
    {
        const int CurrentFolder = -100;
        const int Follow = 0x400;
        return OperatingSystem.IsLinux()
            && LinkPath(CurrentFolder, $"/proc/self/fd/{file.DangerousGetHandle()}", CurrentFolder, name, Follow) == 0;
    }

    /// <summary>Gives a file one more name unless something has that name already, which is then left as it is. Of many at the same time, one does.</summary>
    /// <remarks>File.Move looks whether the name is free, and then takes it from whoever was faster. It is for file systems without hard links.</remarks>
    public static void NameFirst(string path, string name)
    {
        using var file = File.OpenHandle(path);
        if (TryLink(file, name) || File.Exists(name))
        {
            return;
        }

        try
        {
            File.Move(path, name, overwrite: false);
        }
        catch (IOException) when (File.Exists(name))
        {
            // Somebody was faster.
        }
    }

    /// <summary>Lets the system begin writing, so that a later fsync has little left to wait for. Promises nothing.</summary>
    public static void BeginWriting(SafeFileHandle file)
    {
        const uint WriteOut = 2;
        if (OperatingSystem.IsLinux())
        {
            _ = SyncFileRange(file, 0, 0, WriteOut);
        }
    }

    /// <summary>Lets the system forget what it has of a file in memory and on disk alike, so that the disk itself is read next. Promises nothing.</summary>
    public static void ForgetCached(SafeFileHandle file)
    {
        const int DontNeed = 4;
        if (OperatingSystem.IsLinux())
        {
            _ = Advise(file, 0, 0, DontNeed);
        }
    }

    private static void RequireInterrupted(string path)
    {
        var errno = Marshal.GetLastPInvokeError();
        if (errno != Interrupted)
        {
            throw DiskFullException.IsDiskFull(errno)
                ? new DiskFullException(path, inner: null)
                : new FsyncFailedException(path, errno);
        }
    }

    internal static IOException Fault(string what, int errno) => new($"{what}: {Marshal.GetPInvokeErrorMessage(errno)}.", errno);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FsyncFile(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, nuint request, SafeFileHandle argument);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkPath(int fromFolder, string from, int toFolder, string to, int flags);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    private static partial int SyncFileRange(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFileSystem(SafeFileHandle anyFile);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenPath(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenamePath(string from, string to);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeFileHandle file, long offset, int whence);
}

/// <summary>The disk did not confirm a write. What was written is not trusted again.</summary>
public sealed class FsyncFailedException : IOException
{
    internal FsyncFailedException(string path, int errno)
        : base(Describe(path, Marshal.GetPInvokeErrorMessage(errno)), errno)
    {
        Path = path;
    }

    internal FsyncFailedException(string path, IOException inner)
        : base(Describe(path, inner.Message), inner)
    {
        Path = path;
    }

    public string Path { get; }

    private static string Describe(string path, string reason) =>
        $"{path} could not be made durable: {reason}. Check the disk and the kernel log; what was written is discarded and fetched again.";
}
