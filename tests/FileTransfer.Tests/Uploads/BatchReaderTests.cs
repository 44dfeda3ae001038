using System.IO.Pipelines;
using System.Text;
using FileTransfer.Contracts;
using FileTransfer.Uploads;

namespace FileTransfer.Tests.Uploads;

public sealed class BatchReaderTests
{
    private static readonly string[] _metadata = ["{\"a\":1}", "", "{}"];
    private static readonly byte[][] _contents =
    [
        [1, 2, 3, 4, 5],
        [],
        [6],
    ];

    private static byte[] Batch =>
        [.. _metadata.Zip(_contents).SelectMany(file => (byte[])[.. HeaderOf(file.First, file.Second.Length), .. file.Second])];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task Files_are_read_whatever_pieces_they_come_in(int piece)
    {
        var files = await ReadAsync(Batch, piece);

        files.Select(file => file.Index).ShouldBe([0, 1, 2]);
        files.Select(file => Encoding.UTF8.GetString(file.Metadata!)).ShouldBe(_metadata);
        files.Zip(_contents).ShouldAllBe(pair => pair.First.Bytes.ToArray().SequenceEqual(pair.Second));
    }

    [Fact]
    public async Task A_body_that_is_cut_at_any_byte_says_so_of_the_file_at_hand_and_gives_those_before_it()
    {
        var ends = new List<int>();
        for (var (at, i) = (0, 0); i < _contents.Length; i++)
        {
            ends.Add(at += 4 + _metadata[i].Length + 8 + _contents[i].Length);
        }

        for (var cut = 0; cut <= Batch.Length; cut++)
        {
            var files = await ReadAsync(Batch[..cut], piece: 1000);

            var isBetweenFiles = cut == 0 || ends.Contains(cut);
            var whole = ends.Count(end => end <= cut);
            files.Count.ShouldBe(isBetweenFiles ? whole : whole + 1, $"cut at {cut}");
            files.Take(whole).ShouldAllBe(file => !file.IsCut);
            files.Skip(whole).ShouldAllBe(file => file.IsCut);
        }
    }

    [Fact]
    public async Task Metadata_that_is_too_long_and_contents_that_are_not_wanted_are_passed_over()
    {
        byte[] batch =
        [
            .. HeaderOf(new string('x', FileBatch.LargestMetadata + 1), 5),
            .. "right"u8,
            .. HeaderOf(new string('y', FileBatch.LargestMetadata), BatchEntry.SmallUpTo + 1),
            .. new byte[BatchEntry.SmallUpTo + 1],
            .. HeaderOf("z", 1),
            7,
        ];

        var files = await ReadAsync(batch, piece: 10_000);

        files.Select(file => file.Metadata?.Length).ShouldBe([null, FileBatch.LargestMetadata, 1]);
        files.Select(file => file.IsLarge).ShouldBe([false, true, false]);
        Encoding.UTF8.GetString(files[0].Bytes.Span).ShouldBe("right");
        files[2].Bytes.ToArray().ShouldBe([7]);
    }

    [Fact]
    public async Task Whoever_stops_reading_leaves_the_rest_of_the_body_to_the_next()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(Batch);
        var reader = new BatchReader(pipe.Reader, default);
        (await reader.PeekAsync()).ShouldNotBeNull();
        reader.Take();
        for (var i = 1; i < _contents.Length; i++)
        {
            await reader.PeekAsync();
            reader.Take();
        }

        var waiting = reader.PeekAsync();
        await reader.DisposeAsync();
        waiting.IsCanceled.ShouldBeTrue();

        await pipe.Writer.WriteAsync(new byte[] { 9 });
        var rest = await pipe.Reader.ReadAsync();
        rest.Buffer.FirstSpan.ToArray().ShouldBe([9]);
    }

    private static byte[] HeaderOf(string metadata, long size) => FileBatch.HeaderOf(Encoding.UTF8.GetBytes(metadata), size);

    private static async Task<List<BatchEntry>> ReadAsync(byte[] batch, int piece)
    {
        var pipe = new Pipe();
        var writing = WriteAsync();
        var files = new List<BatchEntry>();
        await using (var reader = new BatchReader(pipe.Reader, default))
        {
            while (await reader.PeekAsync() is { } entry)
            {
                files.Add(reader.Take());
                if (entry.IsLarge)
                {
                    (await reader.PassAsync()).ShouldBeTrue();
                }
            }
        }

        await writing;
        return files;

        async Task WriteAsync()
        {
            foreach (var bytes in batch.Chunk(piece))
            {
                await pipe.Writer.WriteAsync(bytes);
            }

            await pipe.Writer.CompleteAsync();
        }
    }
}
