using System.Buffers.Binary;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Identity.Hashing;

/// <summary>Tries too large for the plain one, over hashes that are made up as they are read.</summary>
public sealed class LargeChunkTrieTests
{
    /// <remarks>The roots were computed by a walk over all hashes at once in memory, which agreed with the plain trie on smaller ones.</remarks>
    [Theory]
    [InlineData((1L << 33) + 17, "aa087db8db0a5910161837ea1bb925434b5f8850ba786378b9a5455d75762ab6")]
    [InlineData(12_884_904_980L, "50c845e4bf8d15f8041a6fe52316d324503fe7d76b182815ad8fcd41eff1130f")]
    public void A_content_of_many_gibibytes_has_its_root_computed_in_a_few_mebibytes(long size, string root)
    {
        using var hashes = new MadeUpHashes();
        var before = GC.GetAllocatedBytesForCurrentThread();

        ChunkTrie.Root(hashes, size, maxDegreeOfParallelism: 1).ToString().ShouldEndWith(root);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(8 * 1024 * 1024);
        hashes.LongestRead.ShouldBeLessThanOrEqualTo(ChunkHashes.InMemoryLimit);
    }

    private sealed class MadeUpHashes : HashStorage
    {
        public int LongestRead { get; private set; }

        public override void Read(long offset, Span<byte> destination)
        {
            LongestRead = Math.Max(LongestRead, destination.Length);
            Span<byte> number = stackalloc byte[8];
            for (var at = 0; at < destination.Length; at += number.Length)
            {
                var z = (ulong)((offset + at) / number.Length) * 0x9E37_79B9_7F4A_7C15;
                z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
                z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
                BinaryPrimitives.WriteUInt64LittleEndian(number, z ^ (z >> 31));
                number[..Math.Min(number.Length, destination.Length - at)].CopyTo(destination[at..]);
            }
        }

        public override void Write(long offset, ReadOnlySpan<byte> bytes) =>
            throw new NotSupportedException("Computing a fingerprint only reads the hashes.");

        public override void Flush() { }

        public override void Warm() { }

        public override void Dispose() { }
    }
}
