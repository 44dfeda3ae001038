using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Folder;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Concurrency;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.IntegrationTests.Catalog.Repair;

/// <summary>The collector over a real catalog and a real folder, with a clock that the test moves.</summary>
public sealed class OrphanTests : IAsyncLifetime
{
    private static readonly TimeSpan _grace = TimeSpan.FromHours(1);

    private readonly MovedTime _time = new();
    private readonly TempFolder _folder = new();
    private QueueDatabase _db = null!;
    private ChunkStore _store = null!;
    private FolderLedger _ledger = null!;
    private NodeFile _node = null!;
    private OrphanCollector _collector = null!;

    public async ValueTask InitializeAsync()
    {
        _db = await QueueDatabase.CreateAsync();
        Open();
    }

    public async ValueTask DisposeAsync()
    {
        Close();
        await _db.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_content_is_deleted_once_it_was_seen_unreferenced_for_the_whole_grace_whatever_its_age_and_over_restarts()
    {
        var stored = await StoreAsync(5);
        var orphan = Put(TestFile.Of(100_000), age: TimeSpan.FromDays(400));
        await LookAsync();
        await LookAsync(after: TimeSpan.FromMinutes(59));
        Holds(orphan).ShouldBeTrue();

        // A clock that jumps, and a time in which nobody looked, do not count.
        _time.Jump(TimeSpan.FromDays(3650));
        Close();
        _time.Advance(TimeSpan.FromDays(1));
        Open();
        await LookAsync();
        Holds(orphan).ShouldBeTrue();

        await LookAsync(after: TimeSpan.FromMinutes(2));
        Holds(orphan).ShouldBeFalse();
        stored.ShouldAllBe(file => Holds(file));
        _collector.WaitsBecause.ShouldBeNull();
    }

    [Thorough]
    [Fact]
    public async Task More_than_a_hundred_within_a_day_or_more_than_half_wait_for_a_person()
    {
        await StoreAsync(200);
        var orphans = Enumerable.Range(0, 101).Select(_ => Put(TestFile.Of(100))).ToList();
        await LookAsync();
        await LookAsync(after: _grace);
        orphans.Count(Holds).ShouldBe(101);
        _collector.WaitsBecause!.ShouldContain("101 of 301 contents are referred to by no file");
        _collector.WaitsBecause!.ShouldContain("filetransfer orphans discard");

        // One less is few enough; and then no more for a day.
        _store.DeleteContent(orphans[0].Fingerprint);
        await LookAsync();
        orphans.Count(Holds).ShouldBe(0);
        _collector.WaitsBecause.ShouldBeNull();
        var another = Put(TestFile.Of(100));
        await LookAsync();
        await LookAsync(after: _grace);
        Holds(another).ShouldBeTrue();
        await LookAsync(after: TimeSpan.FromDays(1));
        Holds(another).ShouldBeFalse();
    }

    [Fact]
    public async Task More_than_half_wait_for_a_person_however_few_they_are()
    {
        await StoreAsync(2);
        var orphans = Enumerable.Range(0, 3).Select(_ => Put(TestFile.Of(100))).ToList();
        await LookAsync();
        await LookAsync(after: _grace);
        orphans.Count(Holds).ShouldBe(3);

        (await _collector.DiscardAsync(default)).Count.ShouldBe(3);
        orphans.Count(Holds).ShouldBe(0);
    }

    [Fact]
    public async Task A_content_of_a_file_that_the_catalog_has_never_heard_of_is_kept_and_named()
    {
        await StoreAsync(5);
        var unheard = Put(TestFile.Of(1000));
        await _ledger.RecordAsync([new LedgerFile(unheard.Key, unheard.Metadata, 1, false, null, _time.GetUtcNow())], []);
        await LookAsync();
        await LookAsync(after: _grace * 2);

        Holds(unheard).ShouldBeTrue();
        _collector.WaitsBecause!.ShouldContain("1 contents are of files that the catalog has never heard of");
        var orphan = (await _collector.FindAsync(default)).ShouldHaveSingleItem();
        (orphan.IsDue, orphan.IsUnexplained).ShouldBe((true, true));
        orphan.Files.ShouldHaveSingleItem().Key.ShouldBe(unheard.Key);

        // The catalog hears of it, and nothing is left to decide.
        await unheard.AddAsync(_db.Test, "b");
        await LookAsync();
        _collector.WaitsBecause.ShouldBeNull();
        (await _collector.FindAsync(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_is_deleted_while_collection_is_held_and_the_hold_of_a_promotion_ends_when_nothing_waits()
    {
        await StoreAsync(5);
        var orphan = Put(TestFile.Of(1000));
        Hold(endsByItself: true);
        await LookAsync();
        await LookAsync(after: _grace * 2);
        Holds(orphan).ShouldBeTrue();
        _collector.WaitsBecause!.ShouldContain("because of a test");

        _store.DeleteContent(orphan.Fingerprint);
        await LookAsync();
        _node.Hold.ShouldBeNull();

        Hold(endsByItself: false);
        await LookAsync();
        _node.Hold.ShouldNotBeNull();
        await _collector.DiscardAsync(default);
        _node.Hold.ShouldBeNull();
    }

    private void Hold(bool endsByItself) =>
        _node.Write(
            new FolderIdentity(
                FolderIdentity.CurrentVersion,
                "b",
                "default",
                Guid.Empty,
                "1",
                1,
                "test",
                0,
                [],
                _time.GetUtcNow(),
                ["b"],
                new CollectionHold(_time.GetUtcNow(), "of a test", endsByItself)
            )
        );

    private async Task LookAsync(TimeSpan after = default)
    {
        _time.Advance(after);
        await _collector.CollectAsync(default);
    }

    private async Task<IReadOnlyList<TestFile>> StoreAsync(int count)
    {
        var files = Enumerable.Range(0, count).Select(_ => Put(TestFile.Of(100))).ToList();
        foreach (var file in files)
        {
            await file.AddAsync(_db.Test, "b");
        }

        return files;
    }

    private TestFile Put(TestFile file, TimeSpan age = default)
    {
        if (ChunkStore.IsSmall(file.Content.Length))
        {
            _ledger.RecordAsync([], [ProvenBytes.Of(file.Content)]).GetAwaiter().GetResult();
        }
        else
        {
            _store.MakeDurable([ProvenBytes.Of(file.Content)]);
            File.SetLastWriteTimeUtc(PathOf(file), DateTime.UtcNow - age);
        }

        return file;
    }

    private bool Holds(TestFile file) => _store.Holds(file.Fingerprint);

    private string PathOf(TestFile file)
    {
        var hex = file.Fingerprint.ToHex();
        return Path.Combine(_store.DataDirectory, "content", hex[..2], hex[2..4], hex);
    }

    private void Open()
    {
        _store = new ChunkStore(_folder.At("data"), new FreeSpaceFloor(0), NullLogger<ChunkStore>.Instance);
        _ledger = new FolderLedger(_store);
        _node = new NodeFile(_store);
        var options = new StoreOptions();
        options.Store.OrphanGrace = _grace;
        _collector = new OrphanCollector(
            new ReplicaTable(_db.Database),
            new FileCatalog(_db.Database, new FeedHistory(), _time),
            _store,
            _ledger,
            _node,
            _db.Node,
            Options.Create(options),
            new WorkerRegistry(_time),
            _time,
            NullLogger<OrphanCollector>.Instance
        );
    }

    private void Close()
    {
        _collector.Dispose();
        _store.Dispose();
    }

    private sealed class MovedTime() : FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(60))
    {
        private TimeSpan _jumped;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _jumped;

        public override long GetTimestamp() => base.GetUtcNow().Ticks;

        /// <summary>The wall clock alone.</summary>
        public void Jump(TimeSpan span) => _jumped += span;
    }
}
