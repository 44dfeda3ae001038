namespace FileTransfer.Chunks.Durability;

/// <summary>symlink(2) itself: the runtime's own tells what has the name already only by an exception.</summary>
internal static partial class SymbolicLink
{
    /// <summary>Makes a link, and its folder where that is missing; false when something has the name already.</summary>
    public static bool TryCreate(string path, string target)
    {
        const int NotFound = 2;
        const int Exists = 17;
        if (Link(target, path) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        if (errno == NotFound)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            errno = Link(target, path) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }

        return errno switch
        {
            0 => true,
            Exists => false,
            _ when DiskFullException.IsDiskFull(errno) => throw new DiskFullException(path, inner: null),
            _ => throw new IOException($"The link {path} could not be made: {Marshal.GetPInvokeErrorMessage(errno)}.", errno),
        };
    }

    [LibraryImport("libc", EntryPoint = "symlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string target, string path);
}
