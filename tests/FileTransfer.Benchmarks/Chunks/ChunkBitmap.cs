using BenchmarkDotNet.Attributes;
using FileTransfer.Chunks;

namespace FileTransfer.Benchmarks.Chunks;

/// <summary>The chunks of a file as bits: filled in runs as frames come, and asked for what is missing as windows are.</summary>
[MemoryDiagnoser]
public class ChunkBitmap
{
    private const int WindowChunks = 4096;

    private ChunkSet _half = new(0);

    /// <summary>1 GiB and 64 GiB.</summary>
    [Params(1 << 20, 1 << 26)]
    public int Chunks { get; set; }

    /// <summary>Chunks that come together: one frame, a network read's, the most that one read gives.</summary>
    [Params(1, 64, 256)]
    public int RunChunks { get; set; }

    /// <summary>Every other run is there.</summary>
    [GlobalSetup]
    public void Fill()
    {
        _half = new ChunkSet(Chunks);
        for (long first = 0; first < Chunks; first += 2 * RunChunks)
        {
            _half.Add(first, RunChunks);
        }
    }

    [Benchmark]
    public long FillInOrder()
    {
        var set = new ChunkSet(Chunks);
        for (long first = 0; first < Chunks; first += RunChunks)
        {
            set.Add(first, RunChunks);
        }

        return set.Count;
    }

    [Benchmark]
    public int FindWhatIsMissing()
    {
        var windows = 0;
        for (long from = 0; _half.TryNextAbsent(from, WindowChunks, out var first, out var count); from = first + count)
        {
            windows++;
        }

        return windows;
    }
}
