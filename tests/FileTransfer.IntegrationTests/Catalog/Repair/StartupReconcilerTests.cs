using FileTransfer.Catalog;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Catalog.Repair;

/// <summary>Disk and catalog of a node are compared at a price that grows with the files as they do, and beside all else.</summary>
public sealed class StartupReconcilerTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly ReplicaChanges _changes = new();
    private QueueDatabase _db = null!;
    private ChunkStore _store = null!;
    private DamagedContents _damaged = null!;
    private StartupReconciler _reconciler = null!;

    public async ValueTask InitializeAsync()
    {
        _db = await QueueDatabase.CreateAsync();
        _store = new ChunkStore(_folder.At("data"), new FreeSpaceFloor(0), NullLogger<ChunkStore>.Instance);
        var replicas = new ReplicaTable(_db.Database);
        _damaged = new DamagedContents(
            _store,
            replicas,
            new ReplicaTransitions(_db.Database),
            new QueueSignal(),
            _changes,
            _db.Node,
            TimeProvider.System,
            NullLogger<DamagedContents>.Instance
        );
        _reconciler = new StartupReconciler(replicas, _store, _damaged, _db.Node, NullLogger<StartupReconciler>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _reconciler.Dispose();
        _damaged.Dispose();
        _store.Dispose();
        await _db.DisposeAsync();
        _folder.Dispose();
    }

    [Thorough]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_pages_of_what_is_stored_read_every_row_once(bool isKnownToTheServer)
    {
        var files = Showing.Of(small: 5_000, full: 1_000_000);
        await _db.Test.ExecuteAsync("ALTER TABLE filetransfer.replicas SET (autovacuum_enabled = false)");
        await Backlog.AddAsync(_db.Test, isKnownToTheServer ? "b" : "a", files, "stored");
        await _db.Test.ExecuteAsync("ANALYZE filetransfer.files, filetransfer.replicas");
        if (!isKnownToTheServer)
        {
            await Backlog.AddAsync(_db.Test, "b", files, "stored");
        }

        var found = 0;
        async Task ReadAsync()
        {
            found = 0;
            var replicas = new ReplicaTable(_db.Database);
            for (FileKey? after = null; await replicas.StoredAsync(_db.Node, after, 500, default) is [.., var last] page; )
            {
                found += page.Count;
                after = last.Key;
            }
        }

        // An index is read for the row behind a page as well.
        var most = files + (files / 50);
        (await _db.RowsReadAsync(ReadAsync, "replicas")).ShouldBeLessThanOrEqualTo(most);

        // Of a table as small as this the server may merge the files of a page, and read those up to where the next one begins.
        (await _db.RowsReadAsync(ReadAsync, "files")).ShouldBeLessThanOrEqualTo(2 * files);
        found.ShouldBe(files);
    }

    [Thorough]
    [Fact]
    public async Task A_comparison_that_was_cut_off_goes_on_where_it_was_and_then_looks_at_what_was_before()
    {
        await Backlog.AddAsync(_db.Test, "b", 2_500, "stored");
        var stored = await new ReplicaTable(_db.Database).StoredAsync(_db.Node, null, 2_500, default);
        foreach (var file in stored)
        {
            var path = _store.Paths.Content(file.Fingerprint);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var content = File.Create(path);
            content.SetLength(file.Size);
        }

        await new FolderLedger(_store).FillAsync([.. stored.Select(Remembered)], isStored: false);

        // The second page ends the first run, the session of which is lost there.
        var (before, cutsOff, behind) = (stored[500], stored[1_500], stored[2_400]);
        using var session = new CancellationTokenSource();
        var lost = new List<FileKey>();
        _changes.Damaged += (files, _) =>
        {
            lost.AddRange(files.Select(file => file.Key));
            session.Cancel();
        };
        _store.DeleteContent(cutsOff.Fingerprint);
        await Should.ThrowAsync<OperationCanceledException>(() => _reconciler.RunAsync(session.Token));
        _reconciler.HasRun.ShouldBeFalse();
        _reconciler.Progress.ShouldBeNull();

        _store.DeleteContent(before.Fingerprint);
        _store.DeleteContent(behind.Fingerprint);
        await _reconciler.RunAsync(default);

        lost.ShouldBe([cutsOff.Key, behind.Key, before.Key]);
        _reconciler.HasRun.ShouldBeTrue();
        await new FolderLedger(_store).FlushAsync();
        _store.VisibleFiles().Count().ShouldBe(2_497);
    }

    private static LedgerFile Remembered(StoredReplica file) =>
        new(
            file.Key,
            new FileMetadata(default, default, default, (ulong)file.Size, file.Fingerprint),
            Generation: 1,
            IsPinned: false,
            Added: null,
            DateTimeOffset.UnixEpoch
        );

    [Thorough]
    [Fact]
    public async Task A_node_downloads_while_it_compares_and_says_how_far_it_is()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        PlainFile[] files = [PlainFile.Random(100_000), PlainFile.Random(100_000), PlainFile.Random(100_000)];
        foreach (var file in files[..2])
        {
            await leader.StoreAsync(file);
            await TestCluster.StoredAsync(follower, file.Key);
        }

        await follower.KillAsync();
        StoredOnDisk.Delete(follower, files[0].Fingerprint);
        await leader.StoreAsync(files[2]);
        await using (var connection = await cluster.Database.Pool.OpenConnectionAsync())
        {
            // What is lost cannot be written down while this is locked, so the comparison stands there.
            await using var transaction = await connection.BeginTransactionAsync();
            await using var hold = connection.CreateCommand();
            hold.CommandText = $"SELECT FROM filetransfer.files WHERE file_key = '\\x{files[0].Key[2..]}' FOR UPDATE";
            await hold.ExecuteNonQueryAsync();

            follower = await cluster.StartFollowerAsync("b");
            await follower.CheckSaysAsync("reconciliation", "healthy", "of 2 files");
            await TestCluster.StoredAsync(follower, files[2].Key);
            (await follower.StateOfAsync(files[0].Key)).ShouldBe("stored", "it has not been found out yet");
        }

        await follower.CheckSaysAsync("reconciliation", "healthy", "have been compared");
        await TestCluster.StoredAsync(follower, files[0].Key);
        await files[0].ShouldBeStoredAsync(follower);
    }
}
