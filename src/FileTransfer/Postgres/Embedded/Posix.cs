namespace FileTransfer.Postgres.Embedded;

/// <summary>The few system calls about users and processes that .NET does not offer.</summary>
internal static partial class Posix
{
    /// <summary>Fast shutdown: running statements are ended, everything is written.</summary>
    public const int Interrupt = 2;

    /// <summary>Immediate shutdown: the next start recovers.</summary>
    public const int Quit = 3;

    public static uint EffectiveUser => GetEUid();

    public static bool Signal(int pid, int signal) => Kill(pid, signal) == 0;

    public static void Own(string path, uint uid, uint gid)
    {
        if (LChown(path, uid, gid) != 0)
        {
            throw new IOException($"{path} could not be given to user {uid}: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    /// <summary>The owner of a file, as <c>stat</c> tells: the layout of the system call's answer differs between machines.</summary>
    public static async Task<(uint Uid, uint Gid)> OwnerOfAsync(string path, CancellationToken cancellationToken)
    {
        var answer = await ChildProcess.RunAsync(["stat", "-c", "%u %g", path], cancellationToken);
        var ids = answer.Output.Split(' ');
        return answer.Succeeded && ids.Length == 2
            ? (uint.Parse(ids[0], CultureInfo.InvariantCulture), uint.Parse(ids[1], CultureInfo.InvariantCulture))
            : throw new IOException($"The owner of {path} could not be read: {answer.Output}");
    }

    /// <summary>The path without symbolic links, as <c>/proc</c> shows it.</summary>
    public static string RealPath(string path)
    {
        var resolved = RealPath(path, 0);
        if (resolved == 0)
        {
            throw new IOException($"{path} could not be resolved: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        try
        {
            return Marshal.PtrToStringUTF8(resolved)!;
        }
        finally
        {
            Free(resolved);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEUid();

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LChown(string path, uint uid, uint gid);

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPath(string path, nint buffer);

    [LibraryImport("libc", EntryPoint = "free")]
    private static partial void Free(nint memory);
}
