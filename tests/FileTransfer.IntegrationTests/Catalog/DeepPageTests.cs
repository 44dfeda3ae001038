using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Wants.Policies;
using FileTransfer.Wants.Policies;

namespace FileTransfer.IntegrationTests.Catalog;

/// <summary>What a page costs in rows read, however many files there are and however deep it is.</summary>
public sealed class DeepPageTests : IAsyncLifetime
{
    private static readonly int _files = Showing.Of(small: 20_000, full: 1_000_000);

    private static readonly ByteString _bucket = new([0x0c]);

    private QueueDatabase _db = null!;

    public async ValueTask InitializeAsync()
    {
        _db = await QueueDatabase.CreateAsync();
        await Backlog.AddAsync(_db.Test, "b", _files, "stored");
        await _db.Test.ExecuteAsync("UPDATE filetransfer.files SET location = ('photos/' || encode(location, 'hex'))::bytea");
        await _db.Test.ExecuteAsync("VACUUM ANALYZE filetransfer.files, filetransfer.replicas");
    }

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Thorough]
    [Fact]
    public async Task Counting_replicas_reads_so_many_pages_of_the_table_and_little_beside_them()
    {
        const int pages = 128;
        const int mostRowsOfPage = 80;
        await _db.Test.ExecuteAsync(
            "UPDATE filetransfer.replicas SET state = 'failed' WHERE file_key IN (SELECT file_key FROM filetransfer.replicas LIMIT 3)"
        );
        var table = new ReplicaTable(_db.Database);
        var tally = new ReplicaTally([], AreEstimated: false);

        var read = await _db.RowsReadAsync(async () => tally = await table.CountAsync(pages, default), "replicas");

        read.ShouldBeLessThan(2 * pages * mostRowsOfPage);
        tally.AreEstimated.ShouldBeTrue();
        tally.Counts.Single(count => count.State == ReplicaState.Failed).Count.ShouldBe(3, "what is not stored is counted");
        tally
            .Counts.Single(count => count.State == ReplicaState.Stored)
            .Count.ShouldBeInRange(_files / 2, _files * 2, "what is stored is estimated");
        var all = await table.CountAsync(int.MaxValue, default);
        all.AreEstimated.ShouldBeFalse();
        all.Counts.Single(count => count.State == ReplicaState.Stored).Count.ShouldBe(_files - 3);
    }

    [Fact]
    public async Task A_page_deep_in_a_listing_reads_its_own_files_alone()
    {
        const int page = 100;
        var none = new FileFilter(null, null, null, null, null, page);
        FileFilter[] filters =
        [
            none,
            none with
            {
                Bucket = _bucket,
            },
            none with
            {
                Owner = new ByteString([0x0b]),
            },
            none with
            {
                State = ReplicaState.Stored,
            },
            none with
            {
                State = ReplicaState.Wanted,
            },
            none with
            {
                State = ReplicaState.Failed,
            },
            none with
            {
                LocationPrefix = ByteString.FromUtf8("photos/"),
            },
            none with
            {
                LocationPrefix = ByteString.FromUtf8("photos/"),
                Bucket = _bucket,
            },
            none with
            {
                LocationPrefix = ByteString.FromUtf8("photos/"),
                State = ReplicaState.Stored,
            },
        ];
        var catalog = new FileCatalog(_db.Database, new FeedHistory(), TimeProvider.System);
        var deep = await _db.Test.ScalarAsync<byte[]>("SELECT file_key FROM filetransfer.files WHERE file_key > '\\xe6' LIMIT 1");
        var after = await catalog.FindAsync(new FileKey(deep!), default);
        foreach (var filter in filters)
        {
            var read = await _db.RowsReadAsync(
                async () =>
                {
                    // Often enough for the server to have made a plan for all there is to ask for.
                    for (var times = 0; times < 8; times++)
                    {
                        var found = await catalog.ListAsync(filter with { After = after }, _db.Node, default);
                        found.Files.Count.ShouldBe(filter.State is null or ReplicaState.Stored ? page : 0);
                    }

                    // So that something was read in any case.
                    await catalog.FindAsync(after!.Key, default);
                },
                "files",
                "replicas"
            );

            read.ShouldBeLessThan(8 * page * 3, filter.ToString());
        }
    }

    [Thorough]
    [Fact]
    public async Task A_page_that_no_index_is_for_ends_after_so_many_files_and_the_next_goes_on_behind_them()
    {
        var catalog = new FileCatalog(_db.Database, new FeedHistory(), TimeProvider.System);
        var nothing = new FileFilter(new ByteString([0x77]), null, ReplicaState.Stored, null, null, 100);
        foreach (
            var filter in (FileFilter[])
                [
                    nothing,
                    nothing with
                    {
                        Bucket = null,
                        Owner = new ByteString([0x77]),
                    },
                    nothing with
                    {
                        Bucket = _bucket,
                        State = ReplicaState.Failed,
                        LocationPrefix = ByteString.FromUtf8("photos/"),
                    },
                ]
        )
        {
            var pages = 0;
            FileRecord? after = null;
            do
            {
                var read = await _db.RowsReadAsync(
                    async () =>
                    {
                        var page = await catalog.ListAsync(filter with { After = after }, _db.Node, default);
                        page.Files.ShouldBeEmpty();
                        (after, pages) = (page.Next, pages + 1);
                    },
                    "files",
                    "replicas"
                );
                read.ShouldBeLessThan(4 * FileCatalog.MostLookedAt, filter.ToString());
            } while (after is not null && pages < 1000);

            pages.ShouldBeInRange(2, 999, filter.ToString());
        }
    }

    [Fact]
    public async Task The_list_of_what_is_missing_begins_with_its_first_page_though_nothing_is()
    {
        await using var pages = new MissingFiles(_db.Database, _db.Node).PagesOf(_bucket, default).GetAsyncEnumerator();

        var first = await _db.RowsReadAsync(
            async () =>
            {
                (await pages.MoveNextAsync()).ShouldBeTrue();
                pages.Current.IsEmpty.ShouldBeTrue();
            },
            "files",
            "replicas"
        );

        first.ShouldBeLessThan(5_000, "a page of 2,000 files, and what is beside each");
        var all = await _db.RowsReadAsync(
            async () =>
            {
                while (await pages.MoveNextAsync())
                {
                    pages.Current.IsEmpty.ShouldBeTrue();
                }
            },
            "files",
            "replicas"
        );
        all.ShouldBeLessThan(_files * 5 / 2);
    }

    [Thorough]
    [Fact]
    public async Task A_review_of_a_policy_reads_every_file_once()
    {
        var review = new PolicyReview(_db.Database, new ReplicaChanges(), _db.Node);

        var read = await _db.RowsReadAsync(
            async () => (await review.RunAsync(_bucket, prunes: true, default)).IsNothing.ShouldBeTrue(),
            "files",
            "replicas"
        );

        read.ShouldBeLessThan(_files * 5 / 2);
    }
}
