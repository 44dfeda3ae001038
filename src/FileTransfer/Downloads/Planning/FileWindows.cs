using FileTransfer.Chunks;

namespace FileTransfer.Downloads.Planning;

/// <summary>The windows of a file that several nodes download: which are to be asked for, and how rare each is among the sources.</summary>
internal sealed class FileWindows
{
    private readonly ushort[] _copies;
    private readonly int _windowChunks;
    private readonly long _chunkCount;

    public FileWindows(long chunkCount, int windowChunks)
    {
        _chunkCount = chunkCount;
        _windowChunks = windowChunks;
        Count = checked((int)((chunkCount + windowChunks - 1) / windowChunks));
        _copies = new ushort[Count];
        Unstarted = new WindowSet(Count);
        Returned = new WindowSet(Count);
    }

    public int Count { get; }

    /// <summary>Windows of which something is missing that is not asked for.</summary>
    public WindowSet Unstarted { get; }

    /// <summary>Windows that were asked for in vain: from now on of those alone who have them. So no two wait for what the other is about to have.</summary>
    public WindowSet Returned { get; }

    /// <summary>Sources, of those that download it too, that have a window or are about to have it.</summary>
    public int CopiesOf(int window) => _copies[window];

    public void CountCopies(int window, int more) => _copies[window] = (ushort)(_copies[window] + more);

    public int WindowOf(long chunk) => (int)(chunk / _windowChunks);

    public ChunkRange ChunksOf(int window)
    {
        var first = (long)window * _windowChunks;
        return new ChunkRange(first, (int)Math.Min(_windowChunks, _chunkCount - first));
    }

    /// <summary>Notes what is not started of a run of chunks.</summary>
    public void Look(ChunkRanges unstarted, long first, long end)
    {
        for (var window = (int)(first / _windowChunks); window < Count && (long)window * _windowChunks < end; window++)
        {
            var chunks = ChunksOf(window);
            if (unstarted.Overlaps(chunks.First, chunks.End))
            {
                Unstarted.Add(window);
            }
            else
            {
                Unstarted.Remove(window);
            }
        }
    }

    /// <summary>Notes windows that were asked for in vain.</summary>
    public void Return(ChunkRanges outstanding)
    {
        foreach (var (first, end) in outstanding.Runs)
        {
            for (var window = (int)(first / _windowChunks); (long)window * _windowChunks < end; window++)
            {
                Returned.Add(window);
            }
        }
    }
}
