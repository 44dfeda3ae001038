namespace FileTransfer.Chunks.Durability;

/// <summary>What this node's own disk did to a write, in words for whoever is to mend it.</summary>
public static class DiskFault
{
    private const int InputOutput = 5;
    private const int Exists = 17;
    private const int NotAFolder = 20;
    private const int IsAFolder = 21;
    private const int ReadOnly = 30;

    /// <summary>It is a fault of the disk or of what lies on it, not of the network: those are told apart before.</summary>
    public static bool IsOfDisk(Exception fault) => fault is IOException or UnauthorizedAccessException;

    /// <summary>The disk itself fails, or refuses whatever is asked of it.</summary>
    public static bool IsFailingDisk(Exception fault) =>
        fault
            is IOException { HResult: InputOutput or NotAFolder or ReadOnly }
                or UnauthorizedAccessException
                or DirectoryNotFoundException;

    public static string Describe(Exception fault) =>
        fault switch
        {
            DiskFullException full => full.Message,
            IOException { HResult: InputOutput } =>
                $"the disk answers with input/output errors; look at it and at the kernel's log ({Own(fault)})",
            IOException { HResult: ReadOnly } => $"the file system is read-only; mount it for writing ({Own(fault)})",
            IOException { HResult: NotAFolder or Exists } => $"a file is where a folder belongs; move it away ({Own(fault)})",
            IOException { HResult: IsAFolder } => $"a folder is where a file belongs; move it away ({Own(fault)})",
            DirectoryNotFoundException or FileNotFoundException or DriveNotFoundException =>
                $"a folder is missing; mount the disk, or make the folder again ({Own(fault)})",
            UnauthorizedAccessException => $"it is not writable; give this service the right to write ({Own(fault)})",
            _ => Own(fault),
        };

    private static string Own(Exception fault) => fault.Message.TrimEnd('.');
}
