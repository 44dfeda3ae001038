using BenchmarkDotNet.Attributes;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Benchmarks.Identity;

/// <summary>The root of the chunk trie from hashes that are there already.</summary>
public class TrieRoot
{
    private HashStorage _hashes = null!;

    [Params(64, 16_384, 65_536, 1_048_576)]
    public int Chunks { get; set; }

    [Params(1, 2)]
    public int Cores { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        var encoded = new byte[Chunks * Hash256.Length];
        new Random(2).NextBytes(encoded);
        _hashes = FileBackedHashStorage.Create(encoded.Length, path: null);
        _hashes.Write(0, encoded);
    }

    [GlobalCleanup]
    public void Close() => _hashes.Dispose();

    [Benchmark]
    public Fingerprint Root() => ChunkTrie.Root(_hashes, (long)Chunks * ChunkHashes.ChunkSize, Cores);
}
