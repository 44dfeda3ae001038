namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>What a program did to its files, one after the other; the numbers are those of disklog.c.</summary>
internal enum DiskAct
{
    Create = 1,
    MakeFolder,
    MakeLink,
    Unlink,
    RemoveFolder,
    Rename,
    HardLink,
    Write,
    Truncate,
    Allocate,
    Flush,
    Mark,
    CreateNameless,
    MapForWriting,
    Unknown,
}

/// <summary>One entry of the log.</summary>
/// <param name="Inode">Of the file that was written or flushed; 0 flushes everything.</param>
/// <param name="Path">From the root of the machine; the text of a mark.</param>
/// <param name="Other">The new name of what is renamed, the target of a link.</param>
internal readonly record struct DiskEntry(
    DiskAct Act,
    long Inode,
    long Offset,
    long Length,
    string Path,
    string Other,
    ReadOnlyMemory<byte> Data
);
