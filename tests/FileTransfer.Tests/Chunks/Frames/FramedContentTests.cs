using System.IO.Pipelines;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Tests.Chunks.Frames;

public sealed class FramedContentTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(2100)]
    public async Task Every_offset_and_count_gives_the_bytes_of_the_body(int size)
    {
        using var store = new TestStore();
        var content = new SampleContent(size);
        store.Publish(content);
        using var stored = store.Store.TryOpen(content.Fingerprint)!;
        var body = content.Frames();
        body.Length.ShouldBe((int)ChunkFrame.BodyLength(size));
        for (var offset = 0; offset <= body.Length; offset += size > 1025 ? 13 : 1)
        {
            foreach (var count in Counts(body.Length - offset))
            {
                (await Framed(stored, offset, count))
                    .AsSpan()
                    .SequenceEqual(body.AsSpan(offset, count))
                    .ShouldBeTrue($"{offset}+{count}");
            }
        }
    }

    [Theory]
    [InlineData(0, int.MaxValue)]
    [InlineData(1, int.MaxValue)]
    [InlineData(1031, 200_000)]
    [InlineData(508 * 1032, 508 * 1032)]
    [InlineData((508 * 1032) - 1, (508 * 1032) + 2)]
    [InlineData(300_005, 1)]
    public async Task Pieces_join_without_a_seam(int offset, int count)
    {
        using var store = new TestStore();
        var content = new SampleContent((1200 * 1024) + 77);
        store.Publish(content);
        using var stored = store.Store.TryOpen(content.Fingerprint)!;
        var body = content.Frames();
        count = Math.Min(count, body.Length - offset);
        (await Framed(stored, offset, count)).AsSpan().SequenceEqual(body.AsSpan(offset, count)).ShouldBeTrue();
        var raw = Math.Min(count, content.Data.Length - offset);
        (await Written(output => RawContent.WriteAsync(stored, output, offset, raw, CancellationToken.None)))
            .AsSpan()
            .SequenceEqual(content.Data.AsSpan(offset, raw))
            .ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_outside_the_body_cannot_be_asked_for()
    {
        using var store = new TestStore();
        var content = new SampleContent(2000);
        store.Publish(content);
        using var stored = store.Store.TryOpen(content.Fingerprint)!;
        foreach (var (offset, count) in new[] { (-1L, 5L), (0L, 2017L), (2016L, 1L), (0L, -1L), (1L, long.MaxValue) })
        {
            await Should.ThrowAsync<ArgumentOutOfRangeException>(async () => await Framed(stored, offset, count));
        }
    }

    [Fact]
    public async Task A_content_that_was_cut_off_is_never_padded()
    {
        using var store = new TestStore();
        var content = new SampleContent(500 * 1024);
        store.Publish(content);
        using var stored = store.Store.TryOpen(content.Fingerprint)!;
        using (var file = new FileStream(store.ContentPath(content.Fingerprint), FileMode.Open, FileAccess.ReadWrite))
        {
            file.SetLength((300 * 1024) + 5);
        }

        await Should.ThrowAsync<ContentTruncatedException>(async () => await Framed(stored, 0, 500 * 1032));
        await Should.ThrowAsync<ContentTruncatedException>(async () =>
            await Written(output => RawContent.WriteAsync(stored, output, 0, 500 * 1024, CancellationToken.None))
        );
        (await Framed(stored, 0, 300 * 1032)).ShouldBe(content.Frames(Enumerable.Range(0, 300)));
    }

    [Fact]
    public async Task A_reader_that_is_gone_ends_the_writing()
    {
        using var store = new TestStore();
        var content = new SampleContent(500 * 1024);
        store.Publish(content);
        using var stored = store.Store.TryOpen(content.Fingerprint)!;
        var pipe = new Pipe();
        await pipe.Reader.CompleteAsync();
        await Should.ThrowAsync<OperationCanceledException>(async () =>
            await FramedContent.WriteAsync(stored, pipe.Writer, 0, 500 * 1032, CancellationToken.None)
        );
    }

    [Fact]
    public void Making_frames_allocates_nothing_per_megabyte()
    {
        using var store = new TestStore();
        var content = new SampleContent(16 * 1024 * 1024);
        store.Publish(content);
        using var stored = store.Store.TryOpen(content.Fingerprint)!;
        var sink = new DiscardingWriter();
        Write();

        // Nothing waits here, so all of it is on this thread, and other tests do not count.
        var before = GC.GetAllocatedBytesForCurrentThread();
        Write();
        var perMebibyte = (GC.GetAllocatedBytesForCurrentThread() - before) / 16;
        perMebibyte.ShouldBeLessThan(64);

        void Write() =>
            FramedContent
                .WriteAsync(stored, sink, 0, ChunkFrame.BodyLength(stored.Size), CancellationToken.None)
                .AsTask()
                .IsCompletedSuccessfully.ShouldBeTrue();
    }

    private static IEnumerable<int> Counts(int rest) =>
        new[] { 0, 1, 7, 8, 9, 1031, 1032, 1033, rest - 1, rest }.Where(count => count >= 0 && count <= rest).Distinct();

    private static Task<byte[]> Framed(OpenContent content, long offset, long count) =>
        Written(output => FramedContent.WriteAsync(content, output, offset, count, CancellationToken.None));

    private static async Task<byte[]> Written(Func<PipeWriter, ValueTask> write)
    {
        using var memory = new MemoryStream();
        var output = PipeWriter.Create(memory, new StreamPipeWriterOptions(leaveOpen: true));
        await write(output);
        await output.CompleteAsync();
        return memory.ToArray();
    }

    private sealed class DiscardingWriter : PipeWriter
    {
        private readonly byte[] _memory = new byte[1024 * 1024];

        public override void Advance(int bytes) { }

        public override Memory<byte> GetMemory(int sizeHint = 0) => _memory;

        public override Span<byte> GetSpan(int sizeHint = 0) => _memory;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override void CancelPendingFlush() { }

        public override void Complete(Exception? exception = null) { }
    }
}
