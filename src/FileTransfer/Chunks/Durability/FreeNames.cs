namespace FileTransfer.Chunks.Durability;

/// <summary>How many more files a file system can have: its free inodes, which can be used up while bytes are free.</summary>
internal static partial class FreeNames
{
    private const int LongestStatvfs = 64;

    // statvfs of glibc and musl on 64-bit machines: two block sizes, three counts of blocks, three of inodes, all of 8 bytes.
    private const int FilesAt = 5;
    private const int FilesAvailableAt = 7;

    /// <summary>Null where it is not known, or where the file system has no such bound.</summary>
    public static long? At(string path)
    {
        if (!OperatingSystem.IsLinux() || IntPtr.Size != 8)
        {
            return null;
        }

        // The path itself may not be there yet.
        for (var place = Path.GetFullPath(path); place is not null; place = Path.GetDirectoryName(place))
        {
            var answer = new ulong[LongestStatvfs];
            if (Statvfs(place, answer) == 0)
            {
                return answer[FilesAt] == 0 ? null : (long)answer[FilesAvailableAt];
            }
        }

        return null;
    }

    [LibraryImport("libc", EntryPoint = "statvfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statvfs(string path, [Out] ulong[] answer);
}
