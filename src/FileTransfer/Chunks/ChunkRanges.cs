namespace FileTransfer.Chunks;

/// <summary>A set of chunk ids as runs: it is as large as its gaps are many, whatever the size of the file.</summary>
internal sealed class ChunkRanges
{
    // Highest first, so that the lowest is taken from the end of the list.
    private readonly List<(long First, long End)> _runs = [];

    public long Count { get; private set; }

    public bool IsEmpty => Count == 0;

    /// <summary>The runs, highest first.</summary>
    public IReadOnlyList<(long First, long End)> Runs => _runs;

    public void Add(long first, long end)
    {
        if (first >= end)
        {
            return;
        }

        Remove(first, end);
        Count += end - first;
        var index = FirstBelow(first);
        if (index < _runs.Count && _runs[index].End == first)
        {
            first = _runs[index].First;
            _runs.RemoveAt(index);
        }

        if (index > 0 && _runs[index - 1].First == end)
        {
            _runs[index - 1] = (first, _runs[index - 1].End);
        }
        else
        {
            _runs.Insert(index, (first, end));
        }
    }

    public void Add(ChunkRanges other)
    {
        foreach (var (first, end) in other._runs)
        {
            Add(first, end);
        }
    }

    /// <summary>Removes what is in a run of ids and says how many that were.</summary>
    public long Remove(long first, long end)
    {
        var before = Count;
        var index = first < end ? FirstBelow(end) : _runs.Count;
        while (index < _runs.Count && _runs[index].End > first)
        {
            var run = _runs[index];
            Count -= Math.Min(end, run.End) - Math.Max(first, run.First);
            _runs.RemoveAt(index);
            if (run.End > end)
            {
                _runs.Insert(index++, (end, run.End));
            }

            if (run.First < first)
            {
                _runs.Insert(index++, (run.First, first));
            }
        }

        return before - Count;
    }

    /// <summary>Takes the lowest ids that follow one another out of the set. It must not be empty.</summary>
    public ChunkRange TakeFirst(int maxCount)
    {
        var (first, end) = _runs[^1];
        var count = (int)Math.Min(maxCount, end - first);
        if (first + count == end)
        {
            _runs.RemoveAt(_runs.Count - 1);
        }
        else
        {
            _runs[^1] = (first + count, end);
        }

        Count -= count;
        return new ChunkRange(first, count);
    }

    /// <summary>The lowest id from this one on; null where there is none.</summary>
    public long? FirstFrom(long id)
    {
        // The lowest run that ends behind it.
        var index = _runs.FindLastIndex(run => run.End > id);
        return index < 0 ? null : Math.Max(id, _runs[index].First);
    }

    /// <summary>Takes ids that follow one another out of the set, from one on that is in it.</summary>
    public ChunkRange TakeFrom(long first, int maxCount)
    {
        var end = Math.Min(first + maxCount, _runs[FirstBelow(first + 1)].End);
        Remove(first, end);
        return new ChunkRange(first, (int)(end - first));
    }

    public bool Overlaps(long first, long end)
    {
        var index = FirstBelow(end);
        return index < _runs.Count && _runs[index].End > first;
    }

    /// <summary>From the lowest to the highest. It must not be empty.</summary>
    public ChunkRange Span() => new(_runs[^1].First, (int)(_runs[0].End - _runs[^1].First));

    /// <summary>The index of the highest run that starts below an id.</summary>
    private int FirstBelow(long id)
    {
        var (low, high) = (0, _runs.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _runs[middle].First < id ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
