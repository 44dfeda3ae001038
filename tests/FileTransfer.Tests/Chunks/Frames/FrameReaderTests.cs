using System.IO.Pipelines;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Tests.Chunks.Frames;

public sealed class FrameReaderTests
{
    private static readonly SampleContent _content = new((700 * 1024) + 100);

    [Fact]
    public async Task Frames_in_order_come_as_long_runs()
    {
        var (data, runs, fault) = await ReadAll(_content.Frames(), _content.Data.Length);
        fault.ShouldBeNull();
        data.ShouldBe(_content.Data);
        runs.ShouldAllBe(run => run <= FrameReader.MaxRunChunks);
        runs[0].ShouldBeGreaterThan(250);
    }

    [Fact]
    public async Task Frames_in_any_order_come_to_their_places()
    {
        var ids = Enumerable.Range(0, _content.ChunkCount - 1).ToArray();
        new Random(7).Shuffle(ids);
        var (data, _, fault) = await ReadAll(_content.Frames([.. ids, _content.ChunkCount - 1]), _content.Data.Length);
        fault.ShouldBeNull();
        data.ShouldBe(_content.Data);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1031)]
    [InlineData(1032)]
    [InlineData(1033)]
    [InlineData(5000)]
    public async Task A_body_may_arrive_in_pieces_of_any_length(int pieceLength)
    {
        var content = new SampleContent((20 * 1024) + 1);
        var (data, _, fault) = await ReadAll(content.Frames(), content.Data.Length, pieceLength);
        fault.ShouldBeNull();
        data.ShouldBe(content.Data);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(2048)]
    public async Task Every_length_of_the_last_chunk_is_taken(int size)
    {
        var content = new SampleContent(size);
        var (data, _, fault) = await ReadAll(content.Frames(), size);
        fault.ShouldBeNull();
        data.ShouldBe(content.Data);
    }

    [Fact]
    public async Task The_same_frame_may_come_twice()
    {
        var whole = Enumerable.Range(0, 20);
        var content = new SampleContent(20 * 1024);
        var (data, _, fault) = await ReadAll(content.Frames([.. whole, .. whole]), content.Data.Length);
        fault.ShouldBeNull();
        data.ShouldBe(content.Data);
    }

    [Fact]
    public async Task More_than_twice_the_frames_are_refused()
    {
        var content = new SampleContent(3 * 1024);
        var (_, runs, fault) = await ReadAll(content.Frames([0, 1, 2, 0, 1, 2, 0]), content.Data.Length);
        fault!.Kind.ShouldBe(FrameFaultKind.TooManyFrames);
        runs.Sum().ShouldBe(6);
    }

    [Fact]
    public async Task A_short_frame_in_the_middle_is_refused_and_named()
    {
        var content = new SampleContent((3 * 1024) + 100);
        var (_, runs, fault) = await ReadAll(content.Frames([0, 3, 1, 2]), content.Data.Length);
        fault.ShouldBe(
            new FrameFault(
                FrameFaultKind.ShortFrameInside,
                3,
                "Chunk 3 has 100 bytes, yet its frame is followed by more; only the final frame of a body may be short."
            )
        );
        runs.ShouldBe([1]);
    }

    [Theory]
    [InlineData(4ul)]
    [InlineData(ulong.MaxValue)]
    [InlineData(1ul << 63)]
    public async Task An_id_out_of_range_is_refused_and_named(ulong id)
    {
        var content = new SampleContent(4 * 1024);
        byte[] body = [.. content.Frames([0, 1]), .. SampleContent.Frame(id, content.Chunk(2))];
        var (_, runs, fault) = await ReadAll(body, content.Data.Length);
        fault!.Kind.ShouldBe(FrameFaultKind.IdOutOfRange);
        fault.ChunkId.ShouldBe(id);
        runs.ShouldBe([2]);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(7, null)]
    [InlineData(8, 2ul)]
    [InlineData(9, 2ul)]
    [InlineData(1031, 2ul)]
    public async Task A_body_that_ends_inside_a_frame_is_refused_after_what_was_whole(int length, ulong? chunk)
    {
        var content = new SampleContent(4 * 1024);
        byte[] body = [.. content.Frames([0, 1]), .. content.Frame(2).AsSpan(0, length)];
        var (_, runs, fault) = await ReadAll(body, content.Data.Length);
        fault!.Kind.ShouldBe(FrameFaultKind.Truncated);
        fault.ChunkId.ShouldBe(chunk);
        runs.ShouldBe([2]);
    }

    [Theory]
    [InlineData(99)]
    [InlineData(101)]
    public async Task A_last_chunk_of_another_length_is_refused(int length)
    {
        var content = new SampleContent(1024 + 100);
        byte[] body = [.. content.Frame(0), .. SampleContent.Frame(1, new byte[length])];
        var (_, _, fault) = await ReadAll(body, content.Data.Length);
        fault.ShouldBe(
            new FrameFault(FrameFaultKind.Truncated, 1, $"The final frame carries {length} bytes of chunk 1, which has 100.")
        );
    }

    [Fact]
    public async Task An_empty_body_ends_at_once()
    {
        var (_, runs, fault) = await ReadAll([], 5000);
        fault.ShouldBeNull();
        runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_there_is_yielded_without_waiting_for_more()
    {
        var content = new SampleContent(100 * 1024);
        var pipe = new Pipe();
        using var reader = new FrameReader(pipe.Reader, content.Data.Length);
        await pipe.Writer.WriteAsync(content.Frames([0, 1]));
        await pipe.Writer.WriteAsync(content.Frame(2).AsMemory(0, 500));

        var read = await reader.ReadAsync(CancellationToken.None);
        read.Kind.ShouldBe(FrameReadKind.Run);
        read.Run.Bytes.Length.ShouldBe(2048);
    }

    [Fact]
    public async Task What_came_before_the_connection_broke_is_yielded_first()
    {
        var content = new SampleContent(100 * 1024);
        var pipe = new Pipe();
        using var reader = new FrameReader(pipe.Reader, content.Data.Length);
        await pipe.Writer.WriteAsync(content.Frames([0, 1]));
        (await reader.ReadAsync(CancellationToken.None)).Run.Bytes.Length.ShouldBe(2048);
        await pipe.Writer.WriteAsync(content.Frames([2]));
        await pipe.Writer.CompleteAsync(new IOException("gone"));

        await Should.ThrowAsync<IOException>(async () =>
        {
            while ((await reader.ReadAsync(CancellationToken.None)).Kind == FrameReadKind.Run) { }
        });
    }

    [Fact]
    public async Task Cancelling_ends_a_wait()
    {
        var pipe = new Pipe();
        using var reader = new FrameReader(pipe.Reader, 5000);
        using var cancellation = new CancellationTokenSource();
        var waiting = reader.ReadAsync(cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);
    }

    private static async Task<(byte[] Data, List<int> Runs, FrameFault? Fault)> ReadAll(
        byte[] body,
        int size,
        int pieceLength = int.MaxValue
    )
    {
        await using var stream = new PiecewiseStream(body, pieceLength);
        var pipe = FrameReader.PipeOver(stream);
        using var reader = new FrameReader(pipe, size);
        var data = new byte[size];
        var runs = new List<int>();
        while (true)
        {
            var read = await reader.ReadAsync(CancellationToken.None);
            if (read.Kind != FrameReadKind.Run)
            {
                await pipe.CompleteAsync();
                return (data, runs, read.Fault);
            }

            read.Run.Bytes.CopyTo(data.AsMemory((int)read.Run.FirstChunk * 1024));
            runs.Add((read.Run.Bytes.Length + 1023) / 1024);
        }
    }

    /// <summary>A body that arrives a few bytes at a time.</summary>
    private sealed class PiecewiseStream(byte[] body, int pieceLength) : MemoryStream(body)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, pieceLength)], cancellationToken);
    }
}
