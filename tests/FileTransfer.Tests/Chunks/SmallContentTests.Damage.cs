using FileTransfer.Chunks;
using FileTransfer.Chunks.Ledger;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Tests.Chunks;

/// <content>What is damaged: one content, a page, the database.</content>
public sealed partial class SmallContentTests
{
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
