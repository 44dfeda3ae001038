using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Tests.Chunks;

public sealed class ArrivingContentTests : IDisposable
{
    private const int Chunks = 6000;

    private readonly TestStore _store = new();
    private readonly SampleContent _content = new((Chunks * ChunkFrame.ChunkLength) - 100);
    private readonly List<long> _awaited = [];

    [Fact]
    public void Nothing_of_it_is_read_before_its_hashes_are_proven()
    {
        using var partial = _store.OpenPartial(_content);
        var arriving = partial.Share(generation: 3, _awaited.Add);
        _store.Store.FindArriving(_content.Key).ShouldBe(arriving);
        arriving.IsReadable.ShouldBeFalse();
        _store.Store.TryOpen(arriving, proven: true).ShouldBeNull();

        partial.Hashes.WriteEncoded(0, _content.Encoded);
        partial.VerifyHashes().ShouldBeTrue();
        using var content = _store.Store.TryOpen(arriving, proven: true);
        content.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_reader_is_given_a_run_of_chunks_as_soon_as_it_is_here()
    {
        using var partial = _store.OpenProven(_content);
        var arriving = partial.Share(1, _awaited.Add);
        var waiting = WaitAsync(arriving, 100);
        waiting.IsCompleted.ShouldBeFalse();
        _awaited.ShouldBe([100]);

        Put(partial, 90, 50);
        (await waiting).ShouldBe(140);
        _awaited.ShouldBe([100]);
        arriving.IsHereOrComing(140).ShouldBeFalse();
        using (arriving.Expect(new ChunkRange(140, 10)))
        {
            arriving.IsHereOrComing(140).ShouldBeTrue();
        }

        arriving.IsHereOrComing(140).ShouldBeFalse();
        using var content = _store.Store.TryOpen(arriving, proven: true)!;
        var read = new byte[500];
        content.Read((100 * 1024) + 700, read);
        read.ShouldBe(_content.Data.AsSpan((100 * 1024) + 700, 500).ToArray());
    }

    [Fact]
    public async Task Who_waits_too_long_or_for_what_fails_is_told()
    {
        using var partial = _store.OpenProven(_content);
        var arriving = partial.Share(1, _awaited.Add);
        await Should.ThrowAsync<OperationCanceledException>(
            arriving.WaitAsync(5, asks: false, TimeSpan.FromMilliseconds(1), TimeProvider.System, default).AsTask()
        );
        var waiting = WaitAsync(arriving, 5);

        arriving.Fail();

        await Should.ThrowAsync<OperationCanceledException>(waiting);
        _store.Store.FindArriving(_content.Key).ShouldBeNull();
        _store.Store.TryOpen(arriving, proven: false).ShouldBeNull();
    }

    [Fact]
    public async Task What_is_being_read_is_read_to_its_end_when_it_becomes_stored()
    {
        var partial = _store.OpenProven(_content);
        var arriving = partial.Share(1, _awaited.Add);
        using var content = _store.Store.TryOpen(arriving, proven: true)!;
        var waiting = WaitAsync(arriving, 0);
        Put(partial, 0, Chunks);
        partial.ProveWhole().ShouldBeTrue();
        _store.Store.MakeDurable(partial);
        using (var late = _store.Store.TryOpen(arriving, proven: true)!)
        {
            late.Read(0, new byte[10]);
        }

        arriving.Complete();
        partial.Dispose();

        (await waiting).ShouldBe(Chunks);
        arriving.Failed.IsCancellationRequested.ShouldBeFalse();
        var read = new byte[_content.Data.Length];
        content.Read(0, read);
        read.ShouldBe(_content.Data);
    }

    [Fact]
    public void A_partial_that_is_let_go_of_ends_its_readers_and_stays_open_for_the_last_of_them()
    {
        var partial = _store.OpenProven(_content);
        var arriving = partial.Share(1, _awaited.Add);
        var content = _store.Store.TryOpen(arriving, proven: true)!;
        Put(partial, 0, 1);
        partial.Dispose();

        arriving.Failed.IsCancellationRequested.ShouldBeTrue();
        var handle = content.File!;
        handle.IsClosed.ShouldBeFalse();
        content.Dispose();
        handle.IsClosed.ShouldBeTrue();
    }

    [Fact]
    public void A_follower_is_told_every_chunk_once_and_how_it_ends()
    {
        using var partial = _store.OpenProven(_content);
        var arriving = partial.Share(1, _awaited.Add);
        Put(partial, 10, 5);
        using var feed = arriving.Follow();
        ShouldBe(feed.Take(), [(10, 15)], coming: null);

        var expected = arriving.Expect(new ChunkRange(20, 10));
        Put(partial, 20, 5);
        Put(partial, 25, 5);
        Put(partial, 40, 1);
        ShouldBe(feed.Take(), [(20, 30), (40, 41)], coming: [new ChunkRange(20, 10)]);
        ShouldBe(feed.Take(), [], coming: null);

        expected.Dispose();
        ShouldBe(feed.Take(), [], coming: []);
        arriving.Complete();
        feed.Take().IsStored.ShouldBe(true);
    }

    public void Dispose() => _store.Dispose();

    private static Task<long> WaitAsync(ArrivingContent arriving, long chunk) =>
        arriving.WaitAsync(chunk, asks: true, Timeout.InfiniteTimeSpan, TimeProvider.System, default).AsTask();

    private static void ShouldBe(ArrivalNews news, (long, long)[] here, ChunkRange[]? coming)
    {
        news.Here.ShouldBe(here);
        news.Coming.ShouldBe(coming);
        news.IsStored.ShouldBeNull();
    }

    private void Put(PartialFile partial, int first, int count)
    {
        var end = Math.Min((first + count) * ChunkFrame.ChunkLength, _content.Data.Length);
        partial.Put(first, _content.Data.AsSpan(first * ChunkFrame.ChunkLength, end - (first * ChunkFrame.ChunkLength)));
    }
}
