using FileTransfer.Chunks;

namespace FileTransfer.Downloads;

/// <summary>Runs of chunks, merged and in order. Not for several threads at once.</summary>
/// <remarks>Bounded: beyond <see cref="MaxRanges"/> runs the shortest is left out. What is told is proven, though not all that is proven is told.</remarks>
internal sealed class ProvenRanges
{
    internal const int MaxRanges = 64;

    private readonly List<ChunkRange> _ranges = [];

    public bool IsEmpty => _ranges.Count == 0;

    public IReadOnlyList<ChunkRange> Snapshot() => [.. _ranges];

    public void Add(ChunkRange added)
    {
        var (first, end) = (added.First, added.First + added.Count);
        var at = 0;
        while (at < _ranges.Count && EndOf(_ranges[at]) < first)
        {
            at++;
        }

        var merged = 0;
        while (at + merged < _ranges.Count && _ranges[at + merged].First <= end)
        {
            first = Math.Min(first, _ranges[at + merged].First);
            end = Math.Max(end, EndOf(_ranges[at + merged]));
            merged++;
        }

        _ranges.RemoveRange(at, merged);
        _ranges.Insert(at, Between(first, end));
        if (_ranges.Count > MaxRanges)
        {
            _ranges.Remove(_ranges.MinBy(range => range.Count));
        }
    }

    public void Clear() => _ranges.Clear();

    private static long EndOf(ChunkRange range) => range.First + range.Count;

    private static ChunkRange Between(long first, long end) => new(first, (int)Math.Min(end - first, int.MaxValue));
}
