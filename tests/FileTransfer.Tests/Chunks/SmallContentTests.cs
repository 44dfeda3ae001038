using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Chunks.Small;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.Tests.Chunks;

/// <summary>Small contents are rows of one database: durable with what the folder remembers, proven at every read.</summary>
public sealed class SmallContentTests : IDisposable
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
    public async Task A_flipped_bit_is_found_by_every_read_and_the_content_gives_way_to_a_right_one()
    {
        var content = new SampleContent(5000);
        await _store.RecordAsync(content);
        Flip(content);

        Should.Throw<ContentDamagedException>(() => _store.Store.TryOpen(content.Fingerprint)).Reason.ShouldContain("small.db");
        (await ProveAsync(content)).ShouldBeOfType<ContentFinding.Damaged>();
        _store.Store.ConfirmDurable(content.Fingerprint, 5000).ShouldBeFalse();
        _store.Store.Holds(content.Fingerprint).ShouldBeFalse();
        var aside = _store.Store.Quarantined().ShouldHaveSingleItem();
        File.ReadAllBytes(Path.Combine(_store.Root, "quarantine", aside.Name)).Length.ShouldBe(5000);

        await _store.RecordAsync(content);
        (await ProveAsync(content)).ShouldBe(new ContentFinding.Intact(5000, HashesMended: false));
        _store.Store.Quarantined().ShouldBeEmpty();
    }

    [Fact]
    public async Task Bytes_that_are_missing_are_damage_of_that_content_alone()
    {
        var (lost, kept) = (new SampleContent(5000, 1), new SampleContent(5000, 2));
        await _store.RecordAsync(lost, kept);
        Execute("DELETE FROM bytes WHERE place = 1");
        Should.Throw<ContentDamagedException>(() => _store.Store.TryOpen(lost.Fingerprint));
        _store.Store.ConfirmDurable(lost.Fingerprint, 5000).ShouldBeFalse();
        _store.Store.ConfirmDurable(kept.Fingerprint, 5000).ShouldBeTrue();
    }

    [Fact]
    public async Task A_page_of_bytes_that_contradicts_itself_costs_the_contents_on_it_and_no_other()
    {
        var contents = Enumerable.Range(0, 200).Select(seed => new SampleContent(3000, seed)).ToArray();
        await _store.RecordAsync(contents);
        _store.Restart(folder => GarblePageOf(folder, "bytes"));

        var damaged = contents.Count(IsDamaged);

        damaged.ShouldBeInRange(1, 10);
        new FolderLedger(_store.Store).SetAsideBecause.ShouldBeNull();
        foreach (var content in contents)
        {
            _store.Store.ConfirmDurable(content.Fingerprint, 3000);
        }

        await _store.RecordAsync(contents);
        contents.Count(IsDamaged).ShouldBe(0);
    }

    [Theory]
    [InlineData("contents")]
    [InlineData("files")]
    public async Task A_damaged_page_of_names_has_the_database_set_aside_and_nothing_wrong_is_read(string table)
    {
        var contents = Enumerable.Range(0, 2000).Select(seed => new SampleContent(200, seed)).ToArray();
        await _store.RecordAsync(contents);
        _store.Restart(folder => GarblePageOf(folder, table));
        var ledger = new FolderLedger(_store.Store);
        foreach (var content in contents)
        {
            using var stored = _store.Store.TryOpen(content.Fingerprint);
            (stored is null || TestStore.ReadAll(stored).AsSpan().SequenceEqual(content.Data)).ShouldBeTrue();
            ledger.Find(content.Key);
        }

        ledger.SetAsideBecause.ShouldNotBeNull();
        await _store.RecordAsync(contents);
        contents.ShouldAllBe(content => _store.Store.ConfirmDurable(content.Fingerprint, 200));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_database_that_is_cut_short_is_found_out_and_filled_again(bool whileInUse)
    {
        var contents = Enumerable.Range(0, 300).Select(seed => new SampleContent(3000, seed)).ToArray();
        await _store.RecordAsync(contents);
        _store.Restart();
        void Cut(string folder)
        {
            using var file = new FileStream(Path.Combine(folder, "small.db"), FileMode.Open, FileAccess.ReadWrite);
            file.SetLength(file.Length / 8192 * 4096);
        }

        if (whileInUse)
        {
            Cut(_store.Root);
        }
        else
        {
            _store.Restart(Cut);
        }

        foreach (var content in contents)
        {
            try
            {
                using var stored = _store.Store.TryOpen(content.Fingerprint);
                (stored is null || TestStore.ReadAll(stored).AsSpan().SequenceEqual(content.Data)).ShouldBeTrue();
            }
            catch (ContentDamagedException)
            {
                // Said so.
            }
        }

        await _store.RecordAsync(contents);
        contents.ShouldAllBe(content => _store.Store.ConfirmDurable(content.Fingerprint, 3000));
        new FolderLedger(_store.Store).SetAsideBecause.ShouldNotBeNull();
    }

    [Fact]
    public async Task Readers_and_a_setting_aside_at_once_hinder_nobody_and_read_nothing_wrong()
    {
        var contents = Enumerable.Range(0, 500).Select(seed => new SampleContent(2000, seed)).ToArray();
        await _store.RecordAsync(contents);
        var isOver = false;
        var reading = Enumerable
            .Range(0, 4)
            .Select(reader =>
                Task.Run(() =>
                {
                    var random = new Random(reader);
                    while (!Volatile.Read(ref isOver))
                    {
                        var content = contents[random.Next(contents.Length)];
                        using var stored = _store.Store.TryOpen(content.Fingerprint);
                        (stored is null || TestStore.ReadAll(stored).AsSpan().SequenceEqual(content.Data)).ShouldBeTrue();
                    }
                })
            )
            .ToList();
        for (var time = 0; time < 5; time++)
        {
            await Should.ThrowAsync<Exception>(() =>
                _store.Store.Small.WriteAsync(_ => throw new SqliteException("as a damaged page says it", 11))
            );
            await _store.RecordAsync(contents);
        }

        Volatile.Write(ref isOver, true);
        await Task.WhenAll(reading);
        contents.ShouldAllBe(content => _store.Store.ConfirmDurable(content.Fingerprint, 2000));
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

    [Fact]
    public async Task Small_contents_of_an_earlier_version_move_and_are_readable_at_every_moment()
    {
        var contents = Enumerable.Range(0, 70).Select(seed => new SampleContent(1 + (seed * 900), seed)).ToList();
        var large = new SampleContent(100_000);
        contents.ForEach(_store.Publish);
        _store.Publish(large);
        var damaged = contents[3];
        File.SetUnixFileMode(_store.ContentPath(damaged.Fingerprint), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(_store.ContentPath(damaged.Fingerprint), "torn");

        // A move that was cut off after its commit.
        await _store.Store.MoveAsync([contents[0].Fingerprint], CancellationToken.None);
        _store.Publish(contents[1]);
        var isRead = Task.Run(() =>
        {
            while (!_store.Store.IsMoved)
            {
                foreach (var content in contents.Where(content => content != damaged))
                {
                    using var stored = _store.Store.TryOpen(content.Fingerprint)!;
                    TestStore.ReadAll(stored).AsSpan().SequenceEqual(content.Data).ShouldBeTrue();
                }
            }
        });
        using (var mover = Mover())
        {
            await mover.StartAsync(CancellationToken.None);
            await isRead;
            await mover.StopAsync(CancellationToken.None);
        }

        _store.Restart();
        _store.Store.Contents().Count().ShouldBe(71);
        Directory
            .EnumerateFiles(Path.Combine(_store.Root, "content"), "*", SearchOption.AllDirectories)
            .ShouldBe([_store.ContentPath(large.Fingerprint), _store.ContentPath(damaged.Fingerprint)], ignoreOrder: true);
        Directory.GetDirectories(Path.Combine(_store.Root, "content")).Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_folder_of_an_earlier_version_keeps_its_visible_files_until_their_links_have_gone()
    {
        var (known, unknown) = (new SampleContent(3000, 1), new SampleContent(3000, 2));
        _store.Publish(known);
        _store.Publish(unknown);
        _store.Restart(folder =>
        {
            foreach (var content in (SampleContent[])[known, unknown])
            {
                var hex = content.Key.ToHex();
                var target = Path.GetRelativePath(folder, _store.ContentPath(content.Fingerprint));
                Directory.CreateDirectory(Path.Combine(folder, "files", hex[..2]));
                File.CreateSymbolicLink(Path.Combine(folder, "files", hex[..2], hex), $"../../{target}");
            }
        });

        _store.Store.VisibleFiles().ShouldBe([known.Key, unknown.Key], ignoreOrder: true);
        foreach (var content in (SampleContent[])[known, unknown])
        {
            using var stored = _store.Store.TryOpen(content.Key)!;
            TestStore.ReadAll(stored).ShouldBe(content.Data);
        }

        await _store.RecordAsync(known);
        _store.Store.TryRemoveLinks().ShouldBeFalse();
        _store.Store.Hide(unknown.Key);
        _store.Store.TryOpen(unknown.Key).ShouldBeNull();
        _store.Store.TryRemoveLinks().ShouldBeTrue();
        Directory.Exists(Path.Combine(_store.Root, "files")).ShouldBeFalse();
        _store.Store.VisibleFiles().ShouldBe([known.Key]);
    }

    [Fact]
    public async Task A_database_of_the_version_before_is_brought_up_to_date()
    {
        var content = new SampleContent(3000);
        await _store.RecordAsync(content);
        _store.Restart(folder =>
        {
            using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "small.db")};Pooling=False");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText =
                "DROP TABLE contents; DROP TABLE bytes; ALTER TABLE files DROP COLUMN hidden; PRAGMA user_version = 1";
            command.ExecuteNonQuery();
        });

        var ledger = new FolderLedger(_store.Store);
        ledger.IsIncomplete.ShouldBeTrue();
        ledger.Find(content.Key)!.Fingerprint.ShouldBe(content.Fingerprint);
        await _store.RecordAsync(content);
        _store.Store.ConfirmDurable(content.Fingerprint, 3000).ShouldBeTrue();
    }

    public void Dispose() => _store.Dispose();

    private SmallContentMover Mover() => new(_store.Store, TimeProvider.System, NullLogger<SmallContentMover>.Instance);

    private bool IsDamaged(SampleContent content)
    {
        try
        {
            using var stored = _store.Store.TryOpen(content.Fingerprint);
            return stored is null;
        }
        catch (ContentDamagedException)
        {
            return true;
        }
    }

    private Task<ContentFinding> ProveAsync(SampleContent content) =>
        _store.Store.ProveAsync(content.Fingerprint, null, always: true, proven: null, pace: null, CancellationToken.None);

    private void Flip(SampleContent content) =>
        Execute($"UPDATE bytes SET bytes = x'00' || substr(bytes, 2) WHERE length(bytes) = {content.Data.Length}");

    private void Execute(string sql) => _store.Store.Small.Write(engine => engine.Execute(sql));

    private (long All, long Free) Pages() =>
        _store.Store.Small.Read(engine =>
            ((long)engine.Scalar("PRAGMA page_count")!, (long)engine.Scalar("PRAGMA freelist_count")!)
        );

    /// <summary>The first leaf of a table gets a header that is none, as a disk may write it.</summary>
    private static void GarblePageOf(string folder, string table)
    {
        var path = Path.Combine(folder, "small.db");
        long page;
        using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"SELECT rootpage FROM sqlite_schema WHERE name = '{table}'";
            page = (long)command.ExecuteScalar()!;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var bytes = new byte[4096];

        // Down the tree, by the first pointer of each page within it.
        while (true)
        {
            file.Position = (page - 1) * bytes.Length;
            file.ReadExactly(bytes);
            if (bytes[0] is not (2 or 5))
            {
                break;
            }

            var cell = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(12));
            page = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(cell));
        }

        bytes.AsSpan(8, 600).Fill(0xA5);
        file.Position = (page - 1) * bytes.Length;
        file.Write(bytes);
    }
}
