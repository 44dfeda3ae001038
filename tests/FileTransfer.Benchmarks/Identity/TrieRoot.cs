using BenchmarkDotNet.Attributes;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Benchmarks.Identity;

/// <summary>The root of the chunk trie from hashes that are there already.</summary>
public class TrieRoot
{
    private byte[] _encoded = [];

    [Params(64, 16_384, 65_536, 1_048_576)]
    public int Chunks { get; set; }

    [Params(1, 2)]
    public int Cores { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _encoded = new byte[Chunks * Hash256.Length];
        new Random(2).NextBytes(_encoded);
    }

    [Benchmark]
    public unsafe Fingerprint Root()
    {
        fixed (byte* encoded = _encoded)
        {
            return ChunkTrie.Root(encoded, (long)Chunks * ChunkHashes.ChunkSize, Cores);
        }
    }
}
