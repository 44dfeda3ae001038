using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Identity.Hashing;

public sealed class ChunkTrieTests
{
    [Fact]
    public void Contents_of_every_small_size_have_the_root_of_the_plain_trie()
    {
        var content = SplitMix64.Bytes(1, 7 * 1024);
        for (var size = 0; size <= content.Length; size += size % 1024 is < 40 or > 1000 ? 1 : 61)
        {
            ContentFingerprint
                .Of(content.AsSpan(0, size))
                .ToArray()
                .ShouldBe(PlainTrie.Root(content.AsSpan(0, size)), $"{size} bytes");
        }
    }

    [Fact]
    public void Contents_around_the_lengths_of_keys_have_the_root_of_the_plain_trie()
    {
        var content = SplitMix64.Bytes(2, 16_450 * 1024);
        foreach (
            var chunks in (int[])
                [16, 17, 62, 63, 64, 65, 66, 127, 128, 129, 1023, 1024, 1025, 1088, 1089, 16_383, 16_384, 16_385, 16_431, 16_432]
        )
        {
            foreach (var tail in (int[])[0, 1, 23, 24, 1023])
            {
                var bytes = content.AsSpan(0, (chunks * 1024) + tail);

                ContentFingerprint.Of(bytes).ToArray().ShouldBe(PlainTrie.Root(bytes), $"{chunks} chunks and {tail} bytes");
            }
        }
    }

    [Fact]
    public void Contents_that_are_walked_in_parts_and_end_in_a_short_chunk_have_the_root_of_the_plain_trie()
    {
        var content = SplitMix64.Bytes(4, 32_770 * 1024);
        foreach (var size in (int[])[(32_768 * 1024) + 1, (32_769 * 1024) + 23, (32_769 * 1024) + 24])
        {
            var bytes = content.AsSpan(0, size);

            ContentFingerprint.Of(bytes).ToArray().ShouldBe(PlainTrie.Root(bytes), $"{size} bytes");
        }
    }

    [Fact]
    public void Contents_of_random_sizes_have_the_root_of_the_plain_trie()
    {
        var random = new Random(20_260);
        var content = SplitMix64.Bytes(3, 20_000 * 1024);
        for (var round = 0; round < 60; round++)
        {
            var bytes = content.AsSpan(0, random.Next(1, round < 50 ? 2_000 * 1024 : content.Length));

            ContentFingerprint.Of(bytes).ToArray().ShouldBe(PlainTrie.Root(bytes), $"{bytes.Length} bytes");
        }
    }

    [Theory]
    [InlineData(16_385)]
    [InlineData(16_400)]
    [InlineData(16_448)]
    [InlineData(32_768)]
    [InlineData(32_769)]
    [InlineData(33_000)]
    [InlineData(65_536)]
    [InlineData(300_001)]
    public void One_core_and_several_and_runs_of_every_width_find_the_root_of_the_plain_trie(int chunks)
    {
        var hashes = SplitMix64.Bytes((ulong)chunks, chunks * Hash256.Length);
        var plain = PlainTrie.RootOfHashes(hashes);
        using var storage = MemoryHashStorage.Create(hashes.Length, backingFile: null);
        storage.Write(0, hashes);
        foreach (var lanes in (int[])[1, 2, 4, 16])
        {
            foreach (var cores in (int[])[1, 4])
            {
                ChunkTrie.Root(storage, chunks * 1024L, cores, lanes).ToArray().ShouldBe(plain, $"{lanes} lanes, {cores} cores");
            }
        }
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(1L)]
    [InlineData(4L)]
    [InlineData(63L)]
    [InlineData(64L)]
    [InlineData(65L)]
    [InlineData(16_384L)]
    [InlineData(16_385L)]
    [InlineData(1L << 20)]
    [InlineData((1L << 30) + 5)]
    [InlineData(1L << 40)]
    [InlineData(1L << 53)]
    public void Every_id_is_in_the_one_set_that_its_key_leads_to(long chunkCount)
    {
        var random = new Random(4);
        var ids = Enumerable
            .Range(0, 300)
            .Select(_ => (ulong)random.NextInt64(Math.Max(1, chunkCount)) >> random.Next(40))
            .Concat(
                (ulong[])
                    [
                        0,
                        63,
                        64,
                        16_383,
                        16_384,
                        (1ul << 30) - 1,
                        1ul << 30,
                        (1ul << 32) - 1,
                        1ul << 32,
                        1ul << 40,
                        1ul << 48,
                        (ulong)chunkCount - 1,
                    ]
            )
            .Where(id => id < (ulong)chunkCount);
        foreach (var id in ids)
        {
            var key = new byte[ScaleCompact.MaxLength];
            var length = ScaleCompact.Write(key, id);
            var set = ChunkIdSet.StartingWith(key[0] >> 4, key[0] & 15, (ulong)chunkCount);
            for (var depth = 2; depth < 2 * length; depth++)
            {
                set.IsEmpty.ShouldBeFalse($"{id} at {depth}");
                set = set.Child((depth % 2 == 0 ? key[depth / 2] >> 4 : key[depth / 2]) & 15);
            }

            set.First.ShouldBe(id);
            set.IsSingle.ShouldBeTrue($"{id}");
            set.KeyLength.ShouldBe(length);
        }
    }

    [Fact]
    public void The_sets_of_all_first_nibbles_share_out_every_id_once()
    {
        foreach (var count in (ulong[])[1, 3, 64, 65, 100, 1_000, 16_384, 16_390, 20_000])
        {
            var seen = new List<ulong>();
            for (var nibbles = 0; nibbles < 256; nibbles++)
            {
                Collect(ChunkIdSet.StartingWith(nibbles >> 4, nibbles & 15, count), seen);
            }

            seen.Order().ShouldBe(Enumerable.Range(0, (int)count).Select(id => (ulong)id));
        }
    }

    private static void Collect(ChunkIdSet set, List<ulong> ids)
    {
        if (set.IsEmpty)
        {
            return;
        }

        if (set.IsSingle)
        {
            ids.Add(set.First);
            return;
        }

        for (var nibble = 0; nibble < 16; nibble++)
        {
            Collect(set.Child(nibble), ids);
        }
    }
}
