using FileTransfer.Chunks;
using FileTransfer.Downloads.Planning;

namespace FileTransfer.Downloads;

/// <summary>What a node says it has of a file, chunk by chunk, as the windows that the planner asks for.</summary>
internal sealed class FellowParts
{
    private readonly SourceId _source;
    private readonly FileKey _file;
    private readonly long _chunkCount;
    private readonly int _windowChunks;
    private readonly ChunkRanges _missing = new();
    private readonly int[] _missingIn;
    private readonly PartState[] _told;
    private HashSet<int> _coming = [];

    public FellowParts(SourceId source, FileKey file, long chunkCount, int windowChunks)
    {
        (_source, _file, _chunkCount, _windowChunks) = (source, file, chunkCount, windowChunks);
        _missing.Add(0, chunkCount);
        var windows = (int)((chunkCount + _windowChunks - 1) / _windowChunks);
        _told = new PartState[windows];
        _missingIn = [.. Enumerable.Range(0, windows).Select(window => (int)(EndOf(window) - FirstOf(window)))];
    }

    /// <summary>It has the whole, durable.</summary>
    public bool IsStored { get; private set; }

    /// <summary>What a line says, for the planner. Ranges that are none of the file's are let pass: what is sent is proven in any case.</summary>
    public IReadOnlyList<PlannerEvent> Hear(PartsLine line)
    {
        var heard = new List<PlannerEvent>();
        if (line.Generation is not null)
        {
            heard.Add(new PlannerEvent.PartsBegun(_source, _file));
        }

        var touched = new HashSet<int>();
        foreach (var window in line.Have is { } have ? WindowsOf(have) : [])
        {
            touched.Add(window);
        }

        foreach (var range in line.Have ?? [])
        {
            Arrived(range);
        }

        if (line.Coming is { } coming)
        {
            touched.UnionWith(_coming);
            _coming = [.. WindowsOf(coming)];
            touched.UnionWith(_coming);
        }

        if (line.End == PartsLine.Stored)
        {
            IsStored = true;
            touched.UnionWith(Enumerable.Range(0, _told.Length));
        }

        foreach (var window in touched)
        {
            var state =
                IsStored || _missingIn[window] == 0 ? PartState.Here
                : _coming.Contains(window) ? PartState.Coming
                : PartState.Missing;
            if (_told[window] != state)
            {
                _told[window] = state;
                heard.Add(new PlannerEvent.PartChanged(_source, _file, window, state));
            }
        }

        return heard;
    }

    private void Arrived(long[] range)
    {
        foreach (var window in WindowsOf([range]))
        {
            var (first, end) = (Math.Max(range[0], FirstOf(window)), Math.Min(range[1] + 1, EndOf(window)));
            _missingIn[window] -= (int)_missing.Remove(first, end);
        }
    }

    private IEnumerable<int> WindowsOf(IEnumerable<long[]> ranges)
    {
        foreach (var range in ranges)
        {
            if (range is [>= 0 and var first, var last] && first <= last && last < _chunkCount)
            {
                var end = last / _windowChunks;
                for (var window = first / _windowChunks; window <= end; window++)
                {
                    yield return (int)window;
                }
            }
        }
    }

    private long FirstOf(int window) => (long)window * _windowChunks;

    private long EndOf(int window) => Math.Min(FirstOf(window + 1), _chunkCount);
}
