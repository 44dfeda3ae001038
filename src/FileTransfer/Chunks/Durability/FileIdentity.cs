namespace FileTransfer.Chunks.Durability;

/// <summary>What changes of a file whenever somebody writes to it, replaces it, or changes what is said of it: as the kernel tells it.</summary>
/// <param name="Inode">Another one when the file was replaced.</param>
/// <param name="ModifiedNs">When its bytes were last written, in nanoseconds since 1970.</param>
/// <param name="ChangedNs">When it was last written, renamed, linked or given other rights. Nobody can set it.</param>
/// <remarks>
/// The kernel's times move in steps of some milliseconds. A file that was written to within <see cref="SettlesWithin"/> can be written to
/// once more and look the same. One that was only renamed in that time cannot: a write moves the time of the last write.
/// </remarks>
internal readonly partial record struct FileIdentity(long Size, ulong Inode, long ModifiedNs, long ChangedNs)
{
    public static readonly TimeSpan SettlesWithin = TimeSpan.FromMilliseconds(100);

    private const int CurrentFolder = -100;
    private const int OfTheHandle = 0x1000;
    private const uint BasicStats = 0x7ff;

    public static FileIdentity Of(SafeFileHandle file)
    {
        var isReferenced = false;
        try
        {
            file.DangerousAddRef(ref isReferenced);
            return Ask((int)file.DangerousGetHandle(), "", OfTheHandle, out var identity)
                ? identity
                : throw Fault("an open file", Marshal.GetLastPInvokeError());
        }
        finally
        {
            if (isReferenced)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>Of the file with this name; null when there is none that can be asked about.</summary>
    public static FileIdentity? TryOf(string path) => Ask(CurrentFolder, path, 0, out var identity) ? identity : null;

    /// <summary>Whether a later change would show: the last one is long enough ago.</summary>
    public bool IsSettledAt(DateTimeOffset now) =>
        now.ToUnixTimeMilliseconds() - (Math.Min(ModifiedNs, ChangedNs) / 1_000_000) > SettlesWithin.TotalMilliseconds;

    private static unsafe bool Ask(int folder, string path, int flags, out FileIdentity identity)
    {
        var told = default(Told);
        if (FileStatus(folder, path, flags, BasicStats, &told) != 0)
        {
            identity = default;
            return false;
        }

        identity = new FileIdentity(
            (long)told.Size,
            told.Inode,
            (told.ModifiedSeconds * 1_000_000_000) + told.ModifiedNanoseconds,
            (told.ChangedSeconds * 1_000_000_000) + told.ChangedNanoseconds
        );
        return true;
    }

    private static IOException Fault(string what, int errno) =>
        new($"What the system knows of {what} could not be asked: {Marshal.GetPInvokeErrorMessage(errno)}.", errno);

    /// <summary><c>struct statx</c>, the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Told
    {
        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(96)]
        public long ChangedSeconds;

        [FieldOffset(104)]
        public uint ChangedNanoseconds;

        [FieldOffset(112)]
        public long ModifiedSeconds;

        [FieldOffset(120)]
        public uint ModifiedNanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int FileStatus(int folder, string path, int flags, uint mask, Told* told);
}
