using FileTransfer.Chunks.Ledger;
using FileTransfer.Chunks.Small;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.Tests.Chunks;

/// <content>Folders and databases of earlier versions.</content>
public sealed partial class SmallContentTests
{
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

    private SmallContentMover Mover() => new(_store.Store, TimeProvider.System, NullLogger<SmallContentMover>.Instance);
}
