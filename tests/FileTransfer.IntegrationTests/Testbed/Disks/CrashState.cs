namespace FileTransfer.IntegrationTests.Testbed.Disks;

/// <summary>How a file system keeps the order of names.</summary>
internal enum JournalRule
{
    /// <summary>ext4 and xfs: one journal. What is in it before anything durable is durable.</summary>
    OneForAll,

    /// <summary>What POSIX alone promises: a folder's names are as safe as the last flush of that folder made them.</summary>
    OneForEachFolder,
}

/// <summary>How much a power failure keeps of what was not flushed.</summary>
internal enum Kept
{
    Nothing,
    Everything,
    SomeOfIt,
}

/// <summary>A folder as a power failure after some entry of the log could leave it.</summary>
/// <remarks>
/// Kept is what was flushed. Of the names that were changed since: as many of the oldest as chance wants (of each folder). Of the bytes
/// that were written since: all, none, the first of them with the last one torn, single pages, or only the length with zeros.
/// A length that was set and is lost takes all that was written after it along.
/// </remarks>
internal sealed class CrashState
{
    private const int PageLength = 4096;
    private const int SectorLength = 512;

    private readonly DiskHistory _history;
    private readonly int _cut;
    private readonly JournalRule _rule;
    private readonly Kept _kept;
    private readonly Random _random;
    private readonly int _flushedAll;
    private readonly int _journalEnd;
    private readonly Dictionary<DiskObject, Dictionary<string, DiskObject>> _names = [];
    private readonly Dictionary<DiskObject, byte[]> _bytes = [];
    private HashCode _identity;

    /// <param name="cut">Entries of the log that were made; the last ones perhaps only in memory.</param>
    public CrashState(DiskHistory history, int cut, JournalRule rule, Kept kept, int seed)
    {
        _history = history;
        _cut = cut;
        _rule = rule;
        _kept = kept;
        _random = new Random(seed);
        _flushedAll = Last(history.FlushesOfAll);
        _journalEnd = Choose(DurableJournalEnd());
        ChooseNames();
        Visit(history.Root, "");
        Identity = _identity.ToHashCode();
    }

    /// <summary>Equal for equal folders.</summary>
    public int Identity { get; }

    /// <summary>Writes it to an empty folder.</summary>
    public void Write(string folder) => Write(_history.Root, folder);

    private void Write(DiskObject from, string folder)
    {
        foreach (var (name, found) in NamesOf(from))
        {
            var path = Path.Combine(folder, name);
            switch (found.Kind)
            {
                case DiskObjectKind.Folder:
                    Directory.CreateDirectory(path);
                    Write(found, path);
                    break;
                case DiskObjectKind.Link:
                    File.CreateSymbolicLink(path, found.Target);
                    break;
                default:
                    WriteFile(_bytes[found], path);
                    break;
            }
        }
    }

    /// <summary>Pages of zeros become holes.</summary>
    private static void WriteFile(byte[] bytes, string path)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        for (var at = 0; at < bytes.Length; )
        {
            var length = 0;
            while (at + length < bytes.Length && PageAt(bytes, at + length).ContainsAnyExcept((byte)0))
            {
                length = Math.Min(length + PageLength, bytes.Length - at);
            }

            RandomAccess.Write(file, bytes.AsSpan(at, length), at);
            at += length;
            while (at < bytes.Length && !PageAt(bytes, at).ContainsAnyExcept((byte)0))
            {
                at += PageLength;
            }
        }

        RandomAccess.SetLength(file, bytes.Length);
    }

    private static Span<byte> PageAt(byte[] bytes, int at) => bytes.AsSpan(at, Math.Min(PageLength, bytes.Length - at));

    private void Visit(DiskObject folder, string path)
    {
        foreach (var (name, found) in NamesOf(folder).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            _identity.Add($"{path}/{name} {found.Kind} {found.Target}");
            if (found.Kind == DiskObjectKind.Folder)
            {
                Visit(found, $"{path}/{name}");
            }
            else if (found.Kind == DiskObjectKind.File)
            {
                if (!_bytes.TryGetValue(found, out var bytes))
                {
                    _bytes[found] = bytes = BytesOf(found);
                }

                _identity.Add(bytes.Length);
                _identity.AddBytes(bytes);
            }
        }
    }

    private Dictionary<string, DiskObject> NamesOf(DiskObject folder) =>
        _names.TryGetValue(folder, out var names) ? names : folder.InitialNames;

    /// <summary>The newest entry of the journal that a flush has made durable.</summary>
    private int DurableJournalEnd()
    {
        var end = _flushedAll;
        if (_rule == JournalRule.OneForAll)
        {
            foreach (var flushed in _history.Objects)
            {
                var flush = Last(flushed.Flushes);
                end = Math.Max(end, Last(flushed.Touched, before: flush));
            }
        }

        return end;
    }

    private void ChooseNames()
    {
        var ends = new Dictionary<DiskObject, int>();
        foreach (var change in _history.NameChanges)
        {
            if (change.At >= _cut)
            {
                break;
            }

            if (IsKept(change, ends))
            {
                Apply(change.First);
                if (change.Second is { } second)
                {
                    Apply(second);
                }
            }
        }
    }

    private bool IsKept(NameChange change, Dictionary<DiskObject, int> ends) =>
        _rule == JournalRule.OneForAll
            ? change.At <= _journalEnd
            : change.At <= EndOf(change.First.Folder, ends)
                || (change.Second is { } second && change.At <= EndOf(second.Folder, ends));

    private int EndOf(DiskObject folder, Dictionary<DiskObject, int> ends)
    {
        if (!ends.TryGetValue(folder, out var end))
        {
            ends[folder] = end = Choose(Math.Max(_flushedAll, Last(folder.Flushes)));
        }

        return end;
    }

    private void Apply(NameMeaning meaning)
    {
        if (!_names.TryGetValue(meaning.Folder, out var names))
        {
            _names[meaning.Folder] = names = new Dictionary<string, DiskObject>(meaning.Folder.InitialNames);
        }

        if (meaning.Object is null)
        {
            names.Remove(meaning.Name);
        }
        else
        {
            names[meaning.Name] = meaning.Object;
        }
    }

    private byte[] BytesOf(DiskObject file)
    {
        if (_history.Mapped.Contains(file))
        {
            return [];
        }

        var durable = Math.Max(_flushedAll, Last(file.Flushes));
        var bytes = new FileBytes(file.Initial);
        var index = 0;
        for (; index < file.Changes.Count && file.Changes[index].At <= durable; index++)
        {
            bytes.Apply(file.Changes[index]);
        }

        var rest = file.Changes.Skip(index).TakeWhile(change => change.At < _cut).ToList();
        ApplySome(bytes, rest);
        return bytes.ToArray();
    }

    private void ApplySome(FileBytes bytes, List<DiskChange> rest)
    {
        var manner = _kept switch
        {
            Kept.Nothing => 0,
            Kept.Everything => 1,
            _ => _random.Next(5),
        };
        var whole = _random.Next(rest.Count + 1);
        for (var i = 0; i < rest.Count; i++)
        {
            var change = rest[i];
            if (!change.IsWrite)
            {
                if (!IsLengthKept(change, manner))
                {
                    return;
                }

                bytes.Apply(change);
                continue;
            }

            switch (manner)
            {
                case 1:
                case 3 when i < whole:
                    bytes.Apply(change);
                    break;
                case 2:
                    bytes.Extend(change.Offset + change.Length);
                    break;
                case 3 when i == whole:
                    bytes.Apply(change, 0, _random.Next(((int)change.Length / SectorLength) + 1) * SectorLength);
                    break;
                case 4:
                    ApplyPages(bytes, change);
                    break;
            }
        }
    }

    private bool IsLengthKept(DiskChange change, int manner) =>
        _rule == JournalRule.OneForAll ? change.At <= _journalEnd : manner != 0 && (manner == 1 || _random.Next(4) > 0);

    private void ApplyPages(FileBytes bytes, DiskChange change)
    {
        for (var at = 0L; at < change.Length; )
        {
            var length = Math.Min(change.Length - at, PageLength - ((change.Offset + at) % PageLength));
            if (_random.Next(2) == 0)
            {
                bytes.Apply(change, (int)at, (int)length);
            }

            at += length;
        }
    }

    /// <summary>The last entry that is kept, when all up to <paramref name="durable"/> are.</summary>
    private int Choose(int durable) =>
        _kept switch
        {
            Kept.Nothing => durable,
            Kept.Everything => _cut,
            _ => _random.Next(4) switch
            {
                0 => durable,
                1 => _cut,
                _ => _random.Next(durable, _cut + 1),
            },
        };

    private int Last(List<int> entries) => Last(entries, _cut - 1);

    private static int Last(List<int> entries, int before)
    {
        var found = entries.BinarySearch(before);
        var index = found >= 0 ? found : ~found - 1;
        return index >= 0 ? entries[index] : -1;
    }

    /// <summary>The bytes of a file while they are put together.</summary>
    private sealed class FileBytes(byte[] initial)
    {
        private byte[] _bytes = (byte[])initial.Clone();
        private int _length = initial.Length;

        public void Apply(DiskChange change)
        {
            if (change.IsWrite)
            {
                Apply(change, 0, (int)change.Length);
                return;
            }

            if (change.Length < _length)
            {
                _bytes.AsSpan((int)change.Length, _length - (int)change.Length).Clear();
                _length = (int)change.Length;
            }

            Extend(change.Length);
        }

        public void Apply(DiskChange change, int from, int count)
        {
            if (count > 0)
            {
                Extend(change.Offset + from + count);
                change.Data.Span.Slice(from, count).CopyTo(_bytes.AsSpan((int)change.Offset + from));
            }
        }

        public void Extend(long length)
        {
            if (length > _bytes.Length)
            {
                Array.Resize(ref _bytes, (int)Math.Max(length, 2L * _bytes.Length));
            }

            _length = Math.Max(_length, (int)length);
        }

        public byte[] ToArray() => _bytes.AsSpan(0, _length).ToArray();
    }
}
