using BenchmarkDotNet.Attributes;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Benchmarks.Identity;

/// <summary>Hashing the values of 1024 chunks, 1 MiB, in lanes of every width; one lane is the reference.</summary>
public class ChunkHashing
{
    private readonly byte[] _chunks = new byte[1024 * ChunkHashes.ChunkSize];
    private readonly byte[] _hashes = new byte[1024 * Hash256.Length];

    [Params(1, 2, 4, 16)]
    public int Lanes { get; set; }

    [GlobalSetup]
    public void Fill() => new Random(1).NextBytes(_chunks);

    [Benchmark]
    public void HashOneMebibyte() => Blake2bLanes.HashChunks(Lanes, 0, _chunks, _hashes);
}
