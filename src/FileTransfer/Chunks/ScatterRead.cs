namespace FileTransfer.Chunks;

/// <summary>Reads one run of a file into many places with one system call, and without an allocation; the runtime's own needs some for every place.</summary>
internal static unsafe partial class ScatterRead
{
    /// <summary>One place in memory; <c>struct iovec</c>. The memory must be pinned.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly struct Part(byte* start, int length)
    {
        public readonly byte* Start = start;
        public readonly nint Length = length;

        public Span<byte> Bytes => new(Start, (int)Length);
    }

    /// <summary>Fills the parts with the bytes of the file from <paramref name="offset"/> on, in their order.</summary>
    /// <returns>How many bytes were read: fewer than were asked for at the end of the file, or when the kernel stops early.</returns>
    public static long Read(SafeFileHandle file, ReadOnlySpan<Part> parts, long offset)
    {
        const int Interrupted = 4;
        fixed (Part* first = parts)
        {
            while (true)
            {
                var read = ReadParts(file, first, parts.Length, offset);
                if (read >= 0)
                {
                    return read;
                }

                var errno = Marshal.GetLastPInvokeError();
                if (errno != Interrupted)
                {
                    throw new IOException($"The content could not be read: {Marshal.GetPInvokeErrorMessage(errno)}.", errno);
                }
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "preadv", SetLastError = true)]
    private static partial nint ReadParts(SafeFileHandle file, Part* parts, int count, long offset);
}
