namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>The log of a process, understood: which file each entry is about, which names it changes, what it makes durable.</summary>
internal sealed class DiskHistory
{
    private readonly string _root;
    private readonly bool _flushes;
    private readonly Dictionary<long, DiskObject> _inodes = [];

    /// <param name="before">The folder when the log began; null when it was empty.</param>
    /// <param name="flushes">False understands the log as if no flush had been made.</param>
    public DiskHistory(string root, IReadOnlyList<DiskEntry> entries, DiskSnapshot? before = null, bool flushes = true)
    {
        _flushes = flushes;
        _root = root;
        Count = entries.Count;
        Root = before?.Root ?? new DiskObject(DiskObjectKind.Folder);
        foreach (var (inode, found) in before?.Inodes ?? [])
        {
            _inodes[inode] = found;
            Objects.Add(found);
        }

        if (before is null)
        {
            Objects.Add(Root);
        }

        for (var at = 0; at < entries.Count; at++)
        {
            Take(at, entries[at]);
        }
    }

    public DiskObject Root { get; }

    public List<DiskObject> Objects { get; } = [];

    /// <summary>Entries in the log.</summary>
    public int Count { get; }

    public List<NameChange> NameChanges { get; } = [];

    /// <summary>Entries that flushed the whole file system.</summary>
    public List<int> FlushesOfAll { get; } = [];

    public List<(int At, string Text)> Marks { get; } = [];

    /// <summary>Files whose bytes are also changed through memory; what is in them counts for nothing.</summary>
    public HashSet<DiskObject> Mapped { get; } = [];

    private void Take(int at, DiskEntry entry)
    {
        switch (entry.Act)
        {
            case DiskAct.Create:
                Appear(at, entry, new DiskObject(DiskObjectKind.File));
                break;
            case DiskAct.CreateNameless:
                Know(entry.Inode, new DiskObject(DiskObjectKind.File));
                break;
            case DiskAct.MakeFolder:
                Appear(at, entry, new DiskObject(DiskObjectKind.Folder));
                break;
            case DiskAct.MakeLink:
                Appear(at, entry, new DiskObject(DiskObjectKind.Link, entry.Other));
                break;
            case DiskAct.HardLink:
                Change(at, Meaning(entry.Path, _inodes[entry.Inode]));
                break;
            case DiskAct.Unlink or DiskAct.RemoveFolder:
                Change(at, Meaning(entry.Path, null));
                break;
            case DiskAct.Rename:
                var moved = Meaning(entry.Path, null);
                Change(at, moved, Meaning(entry.Other, moved.Folder.Names[moved.Name]));
                break;
            case DiskAct.Write:
                Write(at, _inodes[entry.Inode], new DiskChange(at, entry.Offset, entry.Length, entry.Data, IsWrite: true));
                break;
            case DiskAct.Truncate:
                Write(at, _inodes[entry.Inode], new DiskChange(at, 0, entry.Length, default, IsWrite: false));
                break;
            case DiskAct.Allocate:
                var file = _inodes[entry.Inode];
                Write(
                    at,
                    file,
                    new DiskChange(at, 0, Math.Max(file.Length, entry.Offset + entry.Length), default, IsWrite: false)
                );
                break;
            case DiskAct.Flush when !_flushes:
                break;
            case DiskAct.Flush when entry.Inode == 0:
                FlushesOfAll.Add(at);
                break;
            case DiskAct.Flush:
                // The only one that may be unknown is the folder itself.
                _inodes.GetValueOrDefault(entry.Inode, Root).Flushes.Add(at);
                break;
            case DiskAct.Mark:
                Marks.Add((at, entry.Path));
                break;
            case DiskAct.MapForWriting:
                Mapped.Add(_inodes[entry.Inode]);
                break;
            default:
                throw new NotSupportedException($"The log has what is not understood: {entry.Act} {entry.Path} {entry.Other}");
        }
    }

    private void Appear(int at, DiskEntry entry, DiskObject made)
    {
        Know(entry.Inode, made);
        if (entry.Path == _root)
        {
            throw new NotSupportedException("The folder itself was made; let it be there when the log begins.");
        }

        Change(at, Meaning(entry.Path, made));
    }

    private void Know(long inode, DiskObject made)
    {
        _inodes[inode] = made;
        Objects.Add(made);
    }

    private void Change(int at, NameMeaning first, NameMeaning? second = null)
    {
        NameChanges.Add(new NameChange(at, first, second));
        foreach (var meaning in second is { } other ? (NameMeaning[])[first, other] : [first])
        {
            meaning.Folder.Touched.Add(at);
            var former = meaning.Folder.Names.GetValueOrDefault(meaning.Name);
            former?.Touched.Add(at);
            if (meaning.Object is null)
            {
                meaning.Folder.Names.Remove(meaning.Name);
            }
            else
            {
                meaning.Folder.Names[meaning.Name] = meaning.Object;
                meaning.Object.Touched.Add(at);
            }
        }
    }

    private static void Write(int at, DiskObject file, DiskChange change)
    {
        var end = change.Offset + change.Length;
        if (!change.IsWrite || end > file.Length)
        {
            file.Touched.Add(at);
            file.Length = end;
        }

        file.Changes.Add(change);
    }

    private NameMeaning Meaning(string path, DiskObject? meant)
    {
        var parts = path[_root.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);
        var folder = Root;
        foreach (var part in parts[..^1])
        {
            folder = folder.Names[part];
        }

        return new NameMeaning(folder, parts[^1], meant);
    }
}
