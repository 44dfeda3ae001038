namespace FileTransfer.Hosting;

/// <summary>The allocator of the C library, in which the runtime compiles methods and SQLite keeps pages. Of glibc alone; with others nothing is done.</summary>
/// <remarks>
/// glibc gives each thread an arena, and by and by learns to keep larger and larger pieces in them: what the compiler had for one method is then
/// held for the next. https://www.gnu.org/software/libc/manual/html_node/Malloc-Tunable-Parameters.html
/// </remarks>
internal static unsafe class Allocator
{
    private const int TrimThreshold = -1;
    private const int MmapThreshold = -3;
    private const int ArenaMax = -8;

    /// <summary>At the start of a node: few arenas, and what is large goes back to the system when it is freed.</summary>
    public static void Bound()
    {
        if (Find("mallopt") is var set and not 0)
        {
            var option = (delegate* unmanaged<int, int, int>)set;
            _ = option(ArenaMax, 2);
            _ = option(MmapThreshold, 64 * 1024);
            _ = option(TrimThreshold, 128 * 1024);
        }
    }

    /// <summary>Gives back whatever pages are free.</summary>
    public static void Trim()
    {
        if (Find("malloc_trim") is var trim and not 0)
        {
            _ = ((delegate* unmanaged<nuint, int>)trim)(0);
        }
    }

    private static nint Find(string name) =>
        NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), name, out var address) ? address : 0;
}
