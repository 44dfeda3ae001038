using FileTransfer.Chunks;

namespace FileTransfer.Tests.Chunks;

public sealed class IncomingFileTests
{
    [Theory]
    [InlineData(ChunkStore.SmallUpTo + 1, 1)]
    [InlineData(200_000, 70_000)]
    [InlineData((256 * 1024) + 1, 100_000)]
    [InlineData((6 * 1024 * 1024) + 19, 65_536)]
    [InlineData((40 * 1024 * 1024) + 24, 1_000_003)]
    public void A_content_of_unknown_size_gets_its_fingerprint_at_its_end(int size, int pieceLength)
    {
        using var store = new TestStore();
        var content = new SampleContent(size);
        using var incoming = store.Store.CreateIncoming();
        foreach (var piece in content.Data.Chunk(pieceLength))
        {
            incoming.Append(piece);
        }

        incoming.Complete().ShouldBe(content.Fingerprint);
        incoming.Size.ShouldBe(size);
        store.Store.MakeDurable(incoming).ShouldBe(PublishOutcome.Published);
        using var stored = store.Store.TryOpen(content.Fingerprint)!;
        TestStore.ReadAll(stored).AsSpan().SequenceEqual(content.Data).ShouldBeTrue();
        store.Store.Prove(stored);
        stored.Proof!.Hashes.ComputeFingerprint().ShouldBe(content.Fingerprint);
        File.Exists(store.ContentPath(content.Fingerprint) + ".hashes").ShouldBe(size > ChunkStore.HashesKeptAbove);
        Directory.GetFileSystemEntries(Path.Combine(store.Root, "partial")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1024, 1024)]
    [InlineData(5000, 7)]
    [InlineData(ChunkStore.SmallUpTo, ChunkStore.SmallUpTo)]
    public void A_small_one_never_touches_the_disk(int size, int pieceLength)
    {
        using var store = new TestStore();
        var content = new SampleContent(size);
        using var incoming = store.Store.CreateIncoming();
        foreach (var piece in content.Data.Chunk(pieceLength))
        {
            incoming.Append(piece);
        }

        incoming.Complete().ShouldBe(content.Fingerprint);
        incoming.Complete().ShouldBe(content.Fingerprint);
        incoming.Size.ShouldBe(size);
        incoming.Small!.Bytes.ToArray().ShouldBe(content.Data);
        Directory.GetFileSystemEntries(Path.Combine(store.Root, "partial")).ShouldBeEmpty();
        Should.Throw<InvalidOperationException>(() => store.Store.MakeDurable(incoming));
    }

    [Fact]
    public void One_that_is_given_up_leaves_nothing()
    {
        using var store = new TestStore();
        using (var incoming = store.Store.CreateIncoming())
        {
            incoming.Append(new byte[600_000]);
            Should.Throw<InvalidOperationException>(() => store.Store.MakeDurable(incoming));
            store.Store.Partials().ShouldBeEmpty();
        }

        Directory.GetFileSystemEntries(Path.Combine(store.Root, "partial")).ShouldBeEmpty();
    }

    [Fact]
    public void The_same_content_twice_is_kept_once()
    {
        using var store = new TestStore();
        var content = new SampleContent(100_000);
        store.Publish(content);
        using var incoming = store.Store.CreateIncoming();
        incoming.Append(content.Data);
        incoming.Complete().ShouldBe(content.Fingerprint);
        store.Store.MakeDurable(incoming).ShouldBe(PublishOutcome.AlreadyHere);
        store.Store.Contents().Count().ShouldBe(1);
    }

    [Fact]
    public void Nothing_can_be_appended_to_a_complete_one()
    {
        using var store = new TestStore();
        using var incoming = store.Store.CreateIncoming();
        incoming.Append([1]);
        incoming.Complete();
        Should.Throw<InvalidOperationException>(() => incoming.Append([2]));
    }
}
