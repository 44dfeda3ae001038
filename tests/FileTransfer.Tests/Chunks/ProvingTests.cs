using System.IO.Pipelines;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Tests.Chunks;

/// <summary>What is read with a proof is right or ends in an exception, wherever it begins and ends, and whatever became of the file.</summary>
public sealed partial class ProvingTests : IDisposable
{
    private const int Large = (4 * 1024 * 1024) + 12_345;

    private readonly TestStore _store = new();

    [Theory]
    [InlineData(1)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(3100)]
    [InlineData((1200 * 1024) + 77)]
    [InlineData(Large)]
    public async Task A_content_that_is_right_is_read_as_it_is_by_every_range(int size)
    {
        var content = new SampleContent(size);
        _store.Publish(content);
        var body = content.Frames();
        var random = new Random(size);
        for (var round = 0; round < (size < 10_000 ? 400 : 40); round++)
        {
            using var stored = Open(content);
            var (rawFrom, rawCount) = Range(random, size);
            (await RawAsync(stored, rawFrom, rawCount))
                .AsSpan()
                .SequenceEqual(content.Data.AsSpan(rawFrom, rawCount))
                .ShouldBeTrue();
            var (from, count) = Range(random, body.Length);
            (await FramedAsync(stored, from, count))
                .AsSpan()
                .SequenceEqual(body.AsSpan(from, count))
                .ShouldBeTrue($"{from}+{count}");
        }
    }

    [Theory]
    [InlineData(3100)]
    [InlineData((1200 * 1024) + 77)]
    [InlineData(Large)]
    public async Task A_flipped_bit_ends_every_range_that_holds_its_chunk_and_no_other(int size)
    {
        var content = new SampleContent(size);
        _store.Publish(content);
        var body = content.Frames();
        var random = new Random(size);
        for (var round = 0; round < (size < 10_000 ? 200 : 30); round++)
        {
            // Opened while it is right, so that its hashes are known to be; the last chunk is looked at by every open.
            using var stored = Open(content);
            var flipped = random.Next(Math.Max(1, size - 1024));
            Flip(content, flipped);
            var chunk = flipped / 1024;

            var (rawFrom, rawCount) = Range(random, size);
            var isHit = rawFrom / 1024 <= chunk && (rawFrom + rawCount - 1) / 1024 >= chunk;
            await ShouldEndAsync(
                isHit,
                () => RawAsync(stored, rawFrom, rawCount),
                content.Data.AsMemory(rawFrom, rawCount),
                chunk
            );

            var (from, count) = Range(random, body.Length);
            var begins = Math.Max(from, (chunk * 1032) + 8);
            isHit = begins < Math.Min(from + count, (chunk * 1032) + 8 + content.Chunk(chunk).Length);
            await ShouldEndAsync(isHit, () => FramedAsync(stored, from, count), body.AsMemory(from, count), chunk);
            Flip(content, flipped);
        }
    }

    [Fact]
    public async Task A_flip_while_a_content_that_was_proven_lately_is_read_ends_its_answer()
    {
        var content = new SampleContent(Large);
        _store.Publish(content);
        await SettledAsync();
        (await ProveAsync(content)).ShouldBeOfType<ContentFinding.Intact>();

        using var stored = Open(content);
        stored.Proof!.Begin(endsAt: Large);
        (await RawAsync(stored, 0, 2_000_000)).AsSpan().SequenceEqual(content.Data.AsSpan(0, 2_000_000)).ShouldBeTrue();
        Flip(content, 1_000_000);
        var ended = await Should.ThrowAsync<ContentDamagedException>(() => RawAsync(stored, 2_000_000, Large - 2_000_000));
        ended.Reason.ShouldContain($"chunk {1_000_000 / 1024} ");
    }

    [Fact]
    public async Task A_content_that_is_deleted_while_it_is_read_is_read_to_its_end()
    {
        var content = new SampleContent(Large);
        _store.Publish(content);
        await SettledAsync();
        await ProveAsync(content);
        using var stored = Open(content);
        stored.Proof!.Begin(endsAt: Large);
        _store.Store.DeleteContent(content.Fingerprint);
        (await RawAsync(stored, 0, Large)).AsSpan().SequenceEqual(content.Data).ShouldBeTrue();
    }

    [Theory]
    [InlineData(3100, 3099)]
    [InlineData(3100, 3101)]
    [InlineData(3100, 1024)]
    [InlineData(3100, 0)]
    [InlineData(Large, Large - 1)]
    [InlineData(Large, Large + 1)]
    [InlineData(Large, Large - 12_345)]
    [InlineData(Large, 0)]
    public void A_content_of_another_length_is_not_opened_to_a_reader(int size, int found)
    {
        var content = new SampleContent(size);
        _store.Publish(content);
        using (Open(content)) { }
        Write(content, file => file.SetLength(found));
        Should.Throw<ContentDamagedException>(() => Open(content)).Fingerprint.ShouldBe(content.Fingerprint);
        _store.Restart();
        Should.Throw<ContentDamagedException>(() => Open(content));
    }

    [Fact]
    public void Proving_while_reading_allocates_nothing_per_megabyte()
    {
        var content = new SampleContent(16 * 1024 * 1024);
        _store.Publish(content);
        using var stored = Open(content);
        var piece = new byte[512 * 1024];
        ReadAll();
        var before = GC.GetAllocatedBytesForCurrentThread();
        ReadAll();
        ((GC.GetAllocatedBytesForCurrentThread() - before) / 16).ShouldBeLessThan(64);

        void ReadAll()
        {
            for (var at = 0; at < stored.Size; at += piece.Length)
            {
                stored.Read(at, piece);
            }
        }
    }

    public void Dispose() => _store.Dispose();

    private static (int From, int Count) Range(Random random, int length)
    {
        var from = random.Next(length);
        return (from, 1 + random.Next(length - from));
    }

    private static async Task ShouldEndAsync(bool isHit, Func<Task<byte[]>> read, ReadOnlyMemory<byte> right, int chunk)
    {
        if (isHit)
        {
            (await Should.ThrowAsync<ContentDamagedException>(read)).Reason.ShouldContain($"chunk {chunk} ");
        }
        else
        {
            (await read()).AsSpan().SequenceEqual(right.Span).ShouldBeTrue();
        }
    }

    private OpenContent Open(SampleContent content)
    {
        var stored = _store.Store.TryOpen(content.Fingerprint)!;
        try
        {
            _store.Store.Prove(stored);
            return stored;
        }
        catch
        {
            stored.Dispose();
            throw;
        }
    }

    private Task<ContentFinding> ProveAsync(SampleContent content) =>
        _store.Store.ProveAsync(
            content.Fingerprint,
            content.Data.Length,
            always: true,
            proven: null,
            pace: null,
            CancellationToken.None
        );

    private void Flip(SampleContent content, int at) => Write(content, file => FlipIn(file, at));

    private static void FlipIn(FileStream file, int at)
    {
        file.Position = at;
        var was = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(was ^ 4));
    }

    private void Write(SampleContent content, Action<FileStream> write)
    {
        var path = _store.ContentPath(content.Fingerprint);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        write(file);
    }

    /// <summary>Waits until the file system's clock has moved on: only then is a proof of what was just written believed later.</summary>
    private async Task SettledAsync()
    {
        var newest = Directory
            .EnumerateFiles(Path.Combine(_store.Root, "content"), "*", SearchOption.AllDirectories)
            .Max(path => FileIdentity.TryOf(path)!.Value.ChangedNs);
        while (!new FileIdentity(0, 0, newest, newest).IsSettledAt(DateTimeOffset.UtcNow))
        {
            await Task.Yield();
        }
    }

    private static Task<byte[]> RawAsync(OpenContent content, long offset, long count) =>
        WrittenAsync(output => RawContent.WriteAsync(content, output, offset, count, CancellationToken.None));

    private static Task<byte[]> FramedAsync(OpenContent content, long offset, long count) =>
        WrittenAsync(output => FramedContent.WriteAsync(content, output, offset, count, CancellationToken.None));

    private static async Task<byte[]> WrittenAsync(Func<PipeWriter, ValueTask> write)
    {
        using var memory = new MemoryStream();
        var output = PipeWriter.Create(memory, new StreamPipeWriterOptions(leaveOpen: true));
        await write(output);
        await output.CompleteAsync();
        return memory.ToArray();
    }
}
