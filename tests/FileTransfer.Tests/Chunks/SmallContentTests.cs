using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Tests.Chunks;

/// <summary>Small contents are rows of one database: durable with what the folder remembers, proven at every read.</summary>
public sealed partial class SmallContentTests : IDisposable
{
    private readonly TestStore _store = new();

    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(3100)]
    [InlineData(ChunkStore.SmallUpTo)]
    public async Task A_small_content_is_read_as_it_is_by_every_range_and_has_no_file(int size)
    {
        var content = new SampleContent(size);
        await _store.RecordAsync(content);
        File.Exists(_store.ContentPath(content.Fingerprint)).ShouldBeFalse();

        using var stored = _store.Store.TryOpen(content.Fingerprint)!;
        _store.Store.Prove(stored);
        TestStore.ReadAll(stored).ShouldBe(content.Data);
        var body = content.Frames();
        var random = new Random(size);
        for (var round = 0; round < 50; round++)
        {
            var from = random.Next(size);
            var part = new byte[1 + random.Next(size - from)];
            stored.Read(from, part);
            part.AsSpan().SequenceEqual(content.Data.AsSpan(from, part.Length)).ShouldBeTrue();
            from = random.Next(body.Length);
            var count = 1 + random.Next(body.Length - from);
            using var memory = new MemoryStream();
            var output = System.IO.Pipelines.PipeWriter.Create(memory);
            await FramedContent.WriteAsync(stored, output, from, count, CancellationToken.None);
            await output.CompleteAsync();
            memory.ToArray().AsSpan().SequenceEqual(body.AsSpan(from, count)).ShouldBeTrue($"{from}+{count}");
        }
    }

    [Fact]
    public async Task Ten_thousand_small_files_are_a_handful_of_inodes()
    {
        var contents = Enumerable.Range(0, 10_000).Select(seed => new SampleContent(100, seed)).ToArray();
        await _store.RecordAsync(contents);
        contents.ToList().ForEach(content => _store.Store.MakeVisible(content.Key));
        Directory.EnumerateFileSystemEntries(_store.Root, "*", SearchOption.AllDirectories).Count().ShouldBeLessThan(20);
        _store.Store.VisibleFiles().Count().ShouldBe(10_000);
    }

    [Fact]
    public async Task A_kill_after_the_commit_keeps_content_and_name_together()
    {
        var contents = Enumerable.Range(0, 40).Select(seed => new SampleContent(1 + (seed * 700), seed)).ToArray();
        await _store.RecordAsync(contents);

        using var killed = TestStore.Open(_store.CopyAs("killed"));

        foreach (var content in contents)
        {
            killed.ConfirmDurable(content.Fingerprint, content.Data.Length).ShouldBeTrue();
            new FolderLedger(killed).Find(content.Key)!.Fingerprint.ShouldBe(content.Fingerprint);
        }
    }

    [Fact]
    public async Task A_content_that_is_here_already_and_one_twice_are_kept_once()
    {
        var (here, other, large) = (new SampleContent(5000, 1), new SampleContent(5000, 2), new SampleContent(6000, 3));
        await _store.RecordAsync(here);
        _store.Publish(large); // A file, as of an earlier version.

        await _store.RecordAsync(other, here, other, large);

        _store.Store.Contents().Count().ShouldBe(3);
        File.Exists(_store.ContentPath(large.Fingerprint)).ShouldBeTrue();
    }

    [Fact]
    public async Task Space_of_removed_contents_is_used_again_and_given_back()
    {
        var contents = Enumerable.Range(0, 1000).Select(seed => new SampleContent(20_000, seed)).ToArray();
        await _store.RecordAsync(contents);
        foreach (var content in contents[..500])
        {
            _store.Store.DeleteContent(content.Fingerprint);
        }

        var (pages, free) = Pages();
        free.ShouldBeGreaterThan(pages / 3);
        await _store.RecordAsync([.. Enumerable.Range(2000, 400).Select(seed => new SampleContent(20_000, seed))]);
        Pages().All.ShouldBeLessThan(pages + 50);

        foreach (var content in _store.Store.Contents().ToList())
        {
            _store.Store.DeleteContent(content.Fingerprint);
        }

        Pages().All.ShouldBeLessThan(pages / 2);
    }

    [Fact]
    public async Task The_log_does_not_grow_with_what_is_written()
    {
        var bytes = new byte[ChunkStore.SmallUpTo];
        for (var number = 0; number < 1500; number++)
        {
            BitConverter.TryWriteBytes(bytes, number);
            await new FolderLedger(_store.Store).RecordAsync([], [ProvenBytes.Of(bytes.ToArray())]);
        }

        new FileInfo(Path.Combine(_store.Root, "small.db-wal")).Length.ShouldBeLessThan(80L * 1024 * 1024);
    }

    [Fact]
    public async Task What_was_deleted_and_is_published_at_once_again_stays()
    {
        var content = new SampleContent(3000);
        for (var time = 0; time < 20; time++)
        {
            await _store.RecordAsync(content);
            _store.Store.DeleteContent(content.Fingerprint);
        }

        await _store.RecordAsync(content);
        _store.Restart();
        _store.Store.ConfirmDurable(content.Fingerprint, 3000).ShouldBeTrue();
    }

    public void Dispose() => _store.Dispose();

    private Task<ContentFinding> ProveAsync(SampleContent content) =>
        _store.Store.ProveAsync(content.Fingerprint, null, always: true, proven: null, pace: null, CancellationToken.None);

    private void Flip(SampleContent content) =>
        Execute($"UPDATE bytes SET bytes = x'00' || substr(bytes, 2) WHERE length(bytes) = {content.Data.Length}");

    private void Execute(string sql) => _store.Store.Small.Write(engine => engine.Execute(sql));

    private (long All, long Free) Pages() =>
        _store.Store.Small.Read(engine =>
            ((long)engine.Scalar("PRAGMA page_count")!, (long)engine.Scalar("PRAGMA freelist_count")!)
        );
}
