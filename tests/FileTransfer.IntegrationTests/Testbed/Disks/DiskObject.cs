namespace FileTransfer.IntegrationTests.Testbed.Disks;

internal enum DiskObjectKind
{
    File,
    Folder,
    Link,
}

/// <summary>A file, folder or link, whatever its names are, with what was done to it.</summary>
internal sealed class DiskObject(DiskObjectKind kind, string target = "", byte[]? initial = null)
{
    public DiskObjectKind Kind { get; } = kind;

    /// <summary>What a link holds.</summary>
    public string Target { get; } = target;

    /// <summary>What a file had when the log began; durable.</summary>
    public byte[] Initial { get; } = initial ?? [];

    /// <summary>Names of a folder when the log began; durable.</summary>
    public Dictionary<string, DiskObject> InitialNames { get; } = [];

    /// <summary>Names of a folder after all that is in the log so far.</summary>
    public Dictionary<string, DiskObject> Names { get; } = [];

    /// <summary>Writes and changes of length, in order.</summary>
    public List<DiskChange> Changes { get; } = [];

    /// <summary>Entries that a flush of this object makes durable together with everything a journal has before them.</summary>
    public List<int> Touched { get; } = [];

    /// <summary>Entries that flushed this object alone.</summary>
    public List<int> Flushes { get; } = [];

    public long Length { get; set; }
}

/// <summary>A change of a file's bytes: a write, or without data its length.</summary>
internal readonly record struct DiskChange(int At, long Offset, long Length, ReadOnlyMemory<byte> Data, bool IsWrite);

/// <summary>A change of names: what a name in a folder means from now on; null when nothing. A rename changes two at once.</summary>
internal readonly record struct NameChange(int At, NameMeaning First, NameMeaning? Second = null);

internal readonly record struct NameMeaning(DiskObject Folder, string Name, DiskObject? Object);
