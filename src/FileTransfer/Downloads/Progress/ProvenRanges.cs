using FileTransfer.Chunks;

namespace FileTransfer.Downloads.Progress;

/// <summary>Runs of proven chunks, to be shown. Not for several threads at once.</summary>
/// <remarks>Bounded: beyond <see cref="MaxRanges"/> runs the shortest is left out. What is shown is proven, though not all that is proven is shown.</remarks>
internal sealed class ProvenRanges
{
    internal const int MaxRanges = 64;

    private ChunkRanges _chunks = new();

    public void Add(ChunkRange added)
    {
        _chunks.Add(added.First, added.End);
        if (_chunks.Runs.Count > MaxRanges)
        {
            var (first, end) = _chunks.Runs.MinBy(run => run.End - run.First);
            _chunks.Remove(first, end);
        }
    }

    public IReadOnlyList<ChunkRange> Snapshot() =>
        [.. _chunks.Runs.Reverse().Select(run => new ChunkRange(run.First, (int)Math.Min(run.End - run.First, int.MaxValue)))];

    public void Clear() => _chunks = new ChunkRanges();
}
