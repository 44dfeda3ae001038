using FileTransfer.Chunks;

namespace FileTransfer.Tests.Chunks;

public sealed class PartialFileTests
{
    private const int Large = (5 * 1024 * 1024) + 700;

    [Fact]
    public void Proven_hashes_let_right_chunks_in_up_to_the_first_wrong_one_and_name_it()
    {
        using var store = new TestStore();
        var content = new SampleContent((20 * 1024) + 5);
        using var partial = store.OpenProven(content);
        var bytes = content.Data.ToArray();
        bytes[(3 * 1024) + 1] ^= 1;
        bytes[(9 * 1024) + 1] ^= 1;

        partial.Put(0, bytes).ShouldBe(new PutOutcome(PutKind.WrongChunk, 3));
        partial.BytesProven.ShouldBe(3 * 1024);
        Missing(partial).ShouldBe([(3, 18)]);
        partial.ProveWhole().ShouldBeFalse();

        partial.Put(9, bytes.AsSpan(9 * 1024)).ShouldBe(new PutOutcome(PutKind.WrongChunk, 9));
        partial.Put(3, content.Data.AsSpan(3 * 1024)).ShouldBe(PutOutcome.Stored);
        partial.IsComplete.ShouldBeTrue();
        partial.ProveWhole().ShouldBeTrue();
    }

    [Fact]
    public void Hashes_that_are_not_the_fingerprints_prove_nothing()
    {
        using var store = new TestStore();
        var content = new SampleContent(20 * 1024);
        using var partial = store.OpenPartial(content);
        var encoded = content.Encoded.ToArray();
        encoded[40] ^= 1;
        partial.Hashes.WriteEncoded(0, encoded);
        partial.VerifyHashes().ShouldBeFalse();
        partial.HashesProven.ShouldBeFalse();

        partial.Put(0, content.Data).ShouldBe(PutOutcome.Stored);
        partial.ProveWhole().ShouldBeTrue();
    }

    [Fact]
    public void An_upload_takes_the_same_bytes_twice_and_refuses_others_by_name()
    {
        using var store = new TestStore();
        var content = new SampleContent(8 * 1024);
        using var partial = store.OpenPartial(content);
        partial.Put(2, content.Data.AsSpan(2048, 3072)).ShouldBe(PutOutcome.Stored);
        partial.Put(0, content.Data.AsSpan(0, 4096)).ShouldBe(PutOutcome.Stored);
        partial.Put(3, new byte[1024]).ShouldBe(new PutOutcome(PutKind.Conflict, 3));

        var changed = content.Data.AsSpan(4096).ToArray();
        changed[5] ^= 1;
        partial.Put(4, changed).ShouldBe(new PutOutcome(PutKind.Conflict, 4));
        partial.Put(4, content.Data.AsSpan(4096)).ShouldBe(PutOutcome.Stored);
        partial.ProveWhole().ShouldBeTrue();
    }

    [Fact]
    public void A_whole_upload_with_one_wrong_bit_is_not_proven_and_cannot_be_published()
    {
        using var store = new TestStore();
        var content = new SampleContent(8 * 1024);
        using var partial = store.OpenPartial(content);
        var bytes = content.Data.ToArray();
        bytes[5000] ^= 4;
        partial.Put(0, bytes).ShouldBe(PutOutcome.Stored);
        partial.IsComplete.ShouldBeTrue();
        partial.ProveWhole().ShouldBeFalse();
        Should.Throw<InvalidOperationException>(() => store.Store.MakeDurable(partial));
        store.Store.Contains(content.Fingerprint, content.Data.Length).ShouldBeFalse();
    }

    [Fact]
    public void A_proof_does_not_outlive_a_later_chunk()
    {
        using var store = new TestStore();
        var content = new SampleContent(2 * 1024);
        using (var first = store.OpenPartial(content))
        {
            first.Put(0, content.Data);
            first.ProveWhole().ShouldBeTrue();
            first.Put(1, new byte[1024]).Kind.ShouldBe(PutKind.Conflict);
            first.ProveWhole().ShouldBeTrue();
        }
    }

    [Fact]
    public async Task A_resumed_download_keeps_its_proven_chunks_and_drops_a_damaged_one()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        using (var partial = store.OpenProven(content))
        {
            partial.Put(0, content.Data.AsSpan(0, 1000 * 1024)).ShouldBe(PutOutcome.Stored);
            partial.Put(5000, content.Data.AsSpan(5000 * 1024)).ShouldBe(PutOutcome.Stored);
        }

        using (var data = new FileStream(Path.Combine(store.PartialPath(content), "data"), FileMode.Open))
        {
            data.Position = (17 * 1024) + 300;
            data.WriteByte((byte)(content.Data[(17 * 1024) + 300] ^ 255));
        }

        store.Restart();
        using var resumed = store.OpenPartial(content, epoch: 7);
        resumed.HashesProven.ShouldBeFalse();
        await resumed.RevalidateFromDiskAsync(CancellationToken.None);
        resumed.HashesProven.ShouldBeTrue();
        Missing(resumed).ShouldBe([(17, 1), (1000, 4000)]);
        resumed.BytesProven.ShouldBe((1000 * 1024) + content.Data.Length - (5000 * 1024) - 1024);
        resumed.Put(17, content.Data.AsSpan(17 * 1024, 1024)).ShouldBe(PutOutcome.Stored);
        resumed.Put(1000, content.Data.AsSpan(1000 * 1024, 4000 * 1024)).ShouldBe(PutOutcome.Stored);
        resumed.ProveWhole().ShouldBeTrue();
        store.Store.MakeDurable(resumed).ShouldBe(PublishOutcome.Published);
        using var stored = store.Store.TryOpen(content.Fingerprint)!;
        TestStore.ReadAll(stored).AsSpan().SequenceEqual(content.Data).ShouldBeTrue();
    }

    [Fact]
    public async Task A_download_too_small_for_kept_hashes_is_proven_again_by_those_of_a_source()
    {
        using var store = new TestStore();
        var content = new SampleContent(300 * 1024);
        using (var partial = store.OpenProven(content))
        {
            partial.Put(0, content.Data.AsSpan(0, 100 * 1024));
        }

        store.Restart();
        using var resumed = store.OpenPartial(content, epoch: 2);
        await resumed.RevalidateFromDiskAsync(CancellationToken.None);
        resumed.BytesProven.ShouldBe(0);
        resumed.Hashes.WriteEncoded(0, content.Encoded);
        resumed.VerifyHashes().ShouldBeTrue();
        resumed.BytesProven.ShouldBe(0);
        await resumed.RevalidateFromDiskAsync(CancellationToken.None);
        resumed.BytesProven.ShouldBe(100 * 1024);
    }

    [Fact]
    public async Task Chunks_of_zeros_are_told_apart_from_holes()
    {
        using var store = new TestStore();
        var bytes = new SampleContent(Large).Data;
        bytes.AsSpan(64 * 1024, 256 * 1024).Clear();
        bytes.AsSpan(3000 * 1024, 256 * 1024).Clear();
        var content = new SampleContent(bytes);
        using (var partial = store.OpenProven(content))
        {
            partial.Put(0, bytes.AsSpan(0, 512 * 1024)).ShouldBe(PutOutcome.Stored);
        }

        using var resumed = store.OpenPartial(content, epoch: 2);
        await resumed.RevalidateFromDiskAsync(CancellationToken.None);
        Missing(resumed).ShouldBe([(512, (int)resumed.ChunkCount - 512)]);
    }

    [Fact]
    public async Task An_upload_that_ended_early_goes_on_where_it_was_and_may_correct_itself()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        using (var partial = store.OpenPartial(content))
        {
            var bytes = content.Data.AsSpan(0, 600 * 1024).ToArray();
            bytes[100 * 1024] ^= 1;
            partial.Put(0, bytes);
        }

        store.Restart();
        using var resumed = store.OpenPartial(content, epoch: 1);
        await resumed.RevalidateFromDiskAsync(CancellationToken.None);
        resumed.HashesProven.ShouldBeFalse();
        Missing(resumed).ShouldBe([(600, (int)resumed.ChunkCount - 600)]);
        resumed.Put(600, content.Data.AsSpan(600 * 1024)).ShouldBe(PutOutcome.Stored);
        resumed.IsComplete.ShouldBeTrue();
        resumed.ProveWhole().ShouldBeFalse();
        resumed.Put(100, content.Data.AsSpan(100 * 1024, 1024)).ShouldBe(PutOutcome.Stored);
        resumed.ProveWhole().ShouldBeTrue();
    }

    [Fact]
    public async Task What_an_upload_left_counts_for_a_download_only_where_its_hashes_agree()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        using (var upload = store.OpenPartial(content))
        {
            var bytes = content.Data.AsSpan(0, 600 * 1024).ToArray();
            bytes[100 * 1024] ^= 1;
            upload.Put(0, bytes);
        }

        using var download = store.OpenPartial(content, epoch: 2);
        await download.RevalidateFromDiskAsync(CancellationToken.None);
        download.Hashes.WriteEncoded(0, content.Encoded);
        download.VerifyHashes().ShouldBeTrue();
        await download.RevalidateFromDiskAsync(CancellationToken.None);
        Missing(download).ShouldBe([(100, 1), (600, (int)download.ChunkCount - 600)]);
    }

    [Fact]
    public void The_newest_partial_is_adopted_and_older_ones_are_gone()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        var other = new SampleContent(Large, seed: 2);
        foreach (var epoch in new long[] { 3, 12 })
        {
            Directory.CreateDirectory(store.PartialPath(content, epoch));
            File.WriteAllText(Path.Combine(store.PartialPath(content, epoch), "data"), $"{epoch}");
        }

        using (var elsewhere = store.OpenPartial(other))
        using (var partial = store.OpenPartial(content, epoch: 20))
        {
            Directory.GetDirectories(Path.Combine(store.Root, "partial")).Length.ShouldBe(2);
            store
                .Store.Partials()
                .Select(found => (found.Key, found.Epoch, found.IsOpen))
                .ShouldBe([(content.Key, 20, true), (other.Key, 1, true)], ignoreOrder: true);
            partial.Put(0, content.Chunk(0));
        }

        store.Store.Partials().Select(found => (found.Key, found.Epoch, found.IsOpen)).ShouldBe([(content.Key, 20, false)]);
    }

    [Fact]
    public void A_partial_that_is_open_is_not_taken_from_its_holder()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        using var first = store.OpenPartial(content, epoch: 1);
        first.Put(0, content.Chunk(0));
        Should.Throw<PartialInUseException>(() => store.OpenPartial(content, epoch: 1)).Message.ShouldContain("epoch 1");
        using (var second = store.OpenPartial(content, epoch: 2))
        {
            second.BytesProven.ShouldBe(0);
            store.Store.DiscardPartials(content.Key);
            second.Put(0, content.Data).ShouldBe(PutOutcome.Stored);
        }

        first.Put(1, content.Chunk(1)).ShouldBe(PutOutcome.Stored);
        store.Store.DiscardPartials(content.Key);
        store.Store.Partials().Select(partial => partial.Epoch).ShouldBe([1]);
        first.Discard();
        store.Store.Partials().ShouldBeEmpty();
    }

    [Fact]
    public void A_partial_with_nothing_in_it_is_not_kept()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        store.OpenPartial(content).Dispose();
        store.OpenProven(content).Dispose();
        store.Store.Partials().ShouldBeEmpty();
    }

    [Fact]
    public void The_data_of_a_partial_takes_only_the_room_of_its_chunks()
    {
        using var store = new TestStore();
        var content = new SampleContent(1024);
        using var partial = store.Store.OpenPartial(content.Key, 1, content.Fingerprint, 1L << 36);
        partial.Put(1L << 25, new byte[1024]).ShouldBe(PutOutcome.Stored);
        partial.TryNextMissing(1L << 25, 10, out var first, out var count).ShouldBeTrue();
        (first, count).ShouldBe(((1L << 25) + 1, 10));
        partial.BytesProven.ShouldBe(1024);
        using var du = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("du", ["-sk", store.Root])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            }
        )!;
        int.Parse(du.StandardOutput.ReadToEnd().Split('\t')[0]).ShouldBeLessThan(1024);
    }

    [Theory]
    [InlineData(-1, 1024)]
    [InlineData(0, 0)]
    [InlineData(0, 1023)]
    [InlineData(0, 3073)]
    [InlineData(2, 1024)]
    [InlineData(3, 10)]
    [InlineData(1, 1500)]
    public void Bytes_that_are_not_whole_chunks_of_the_file_are_the_callers_fault(long first, int length)
    {
        using var store = new TestStore();
        using var partial = store.OpenPartial(new SampleContent(2048 + 10));
        Should.Throw<ArgumentException>(() => partial.Put(first, new byte[length]));
    }

    [Fact]
    public async Task Proven_chunks_may_come_from_several_threads()
    {
        using var store = new TestStore();
        var content = new SampleContent(Large);
        using var partial = store.OpenProven(content);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, content.ChunkCount),
            (chunk, _) =>
            {
                partial.Put(chunk, content.Chunk(chunk)).ShouldBe(PutOutcome.Stored);
                return ValueTask.CompletedTask;
            }
        );
        partial.ProveWhole().ShouldBeTrue();
        partial.BytesProven.ShouldBe(Large);
    }

    private static List<(long First, int Count)> Missing(PartialFile partial)
    {
        var missing = new List<(long, int)>();
        for (var from = 0L; partial.TryNextMissing(from, int.MaxValue, out var first, out var count); from = first + count)
        {
            missing.Add((first, count));
        }

        return missing;
    }
}
