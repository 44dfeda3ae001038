namespace FileTransfer.Chunks;

/// <summary>A set of the chunk ids of one file, as one bit each. Not for several threads at once.</summary>
/// <remarks>
/// Bits are in pages that exist only while they are needed: a page that is empty or full takes no memory, so a file that arrives in
/// order, of whatever size, needs one page besides a reference per 32 MiB.
/// </remarks>
internal sealed class ChunkSet(long chunkCount)
{
    private const int PageChunks = 32 * 1024;
    private const int PageWords = PageChunks / 64;
    private static readonly ulong[] _full = CreateFull();

    private readonly ulong[]?[] _pages = new ulong[]?[(int)((chunkCount + PageChunks - 1) / PageChunks)];
    private readonly Dictionary<int, int> _counts = [];
    private ulong[]? _spare;

    public long Count { get; private set; }

    /// <summary>Pages that are neither empty nor full.</summary>
    internal int PagesInMemory => _counts.Count;

    public bool IsFull => Count == chunkCount;

    public bool Contains(long chunk) => Contains(_pages[chunk / PageChunks], (int)(chunk % PageChunks));

    public bool ContainsAny(long first, int count)
    {
        for (var chunk = first; chunk < first + count; chunk++)
        {
            if (Contains(chunk))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds a run and returns how many of it are new.</summary>
    public int Add(long first, int count)
    {
        var added = 0;
        for (var chunk = first; chunk < first + count; chunk++)
        {
            added += Add(chunk) ? 1 : 0;
        }

        return added;
    }

    public void Clear()
    {
        Array.Clear(_pages);
        _counts.Clear();
        Count = 0;
    }

    /// <summary>The first run from <paramref name="from"/> on that is not in the set, at most <paramref name="maxCount"/> long.</summary>
    public bool TryNextAbsent(long from, int maxCount, out long first, out int count)
    {
        first = EndOfRun(from);
        count = 0;
        while (count < maxCount && first + count < chunkCount && !Contains(first + count))
        {
            count++;
        }

        return count > 0;
    }

    /// <summary>The first chunk from <paramref name="from"/> on that is not in the set; one behind the last where there is none.</summary>
    public long EndOfRun(long from)
    {
        while (from < chunkCount && Contains(from))
        {
            from = NextAfterPresent(from);
        }

        return Math.Min(from, chunkCount);
    }

    /// <summary>The runs of chunks that are in the set, in order.</summary>
    public IEnumerable<(long First, long End)> Runs()
    {
        for (var chunk = 0L; chunk < chunkCount; )
        {
            if (!Contains(chunk))
            {
                chunk = NextAfterAbsent(chunk);
                continue;
            }

            var end = EndOfRun(chunk);
            yield return (chunk, end);
            chunk = end;
        }
    }

    private bool Add(long chunk)
    {
        var number = (int)(chunk / PageChunks);
        var page = _pages[number] ??= TakePage();
        var bit = (int)(chunk % PageChunks);
        if (Contains(page, bit))
        {
            return false;
        }

        page[bit / 64] |= 1ul << (bit % 64);
        Count++;
        ref var inPage = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, number, out _);
        if (++inPage == PageChunks)
        {
            _pages[number] = _full;
            _counts.Remove(number);
            Array.Clear(page);
            _spare = page;
        }

        return true;
    }

    private ulong[] TakePage()
    {
        var page = _spare ?? new ulong[PageWords];
        _spare = null;
        return page;
    }

    /// <summary>Steps over a full page or word at once.</summary>
    private long NextAfterPresent(long chunk)
    {
        var page = _pages[chunk / PageChunks];
        if (ReferenceEquals(page, _full))
        {
            return (chunk / PageChunks * PageChunks) + PageChunks;
        }

        return page![chunk % PageChunks / 64] == ulong.MaxValue ? (chunk / 64 * 64) + 64 : chunk + 1;
    }

    /// <summary>Steps over an empty page or word at once.</summary>
    private long NextAfterAbsent(long chunk)
    {
        if (_pages[chunk / PageChunks] is not { } page)
        {
            return (chunk / PageChunks * PageChunks) + PageChunks;
        }

        return page[chunk % PageChunks / 64] == 0 ? (chunk / 64 * 64) + 64 : chunk + 1;
    }

    private static bool Contains(ulong[]? page, int bit) => page is not null && (page[bit / 64] & (1ul << (bit % 64))) != 0;

    private static ulong[] CreateFull()
    {
        var page = new ulong[PageWords];
        Array.Fill(page, ulong.MaxValue);
        return page;
    }
}
