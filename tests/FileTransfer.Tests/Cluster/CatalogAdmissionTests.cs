using FileTransfer.Chunks.Folder;
using FileTransfer.Cluster;
using FileTransfer.Postgres;

namespace FileTransfer.Tests.Cluster;

public sealed class CatalogAdmissionTests
{
    private static readonly Guid _epoch = Guid.Parse("9f0c2ab0-4e5f-4c9e-8e43-5d3d7f1f6a01");
    private static readonly Guid _other = Guid.Parse("9f0c2ab0-4e5f-4c9e-8e43-5d3d7f1f6a02");

    private static readonly FolderIdentity _known = new(
        FolderIdentity.CurrentVersion,
        "a",
        "default",
        _epoch,
        "7001",
        2,
        "filetransfer",
        1000,
        Heads(10),
        DateTimeOffset.UnixEpoch,
        ["a"],
        null
    );

    private static readonly CatalogIdentity _found = new("7001", 2, "filetransfer", 1000, 7, "default", _epoch, 1, Heads(10));

    [Fact]
    public void The_same_catalog_is_the_same_where_it_was_left_and_further_on()
    {
        Judge(_known, _found).ShouldBeOfType<CatalogAdmission.Same>();
        Judge(_known, _found with { Flushed = 2000, BinHeads = Heads(11) }).ShouldBeOfType<CatalogAdmission.Same>();
        Judge(_known, _found with { Database = "renamed" }).ShouldBeOfType<CatalogAdmission.Same>();
    }

    [Fact]
    public void A_folder_without_contents_may_begin_anywhere_and_one_with_contents_only_where_they_are_known()
    {
        Judge(null, _found, hasContents: false).ShouldBeOfType<CatalogAdmission.First>();
        Judge(null, Empty, hasContents: false).ShouldBeOfType<CatalogAdmission.First>();
        Judge(_known, Empty, hasContents: false).ShouldBeOfType<CatalogAdmission.First>();
        Judge(null, _found).ShouldBeOfType<CatalogAdmission.Unnamed>();
        Judge(null, Empty).ShouldBeOfType<CatalogAdmission.Foreign>();
        Judge(_known, Empty).ShouldBeOfType<CatalogAdmission.Foreign>().Expected.ShouldContain($"{_epoch}");
    }

    [Fact]
    public void Another_catalog_another_server_and_an_older_timeline_are_foreign()
    {
        Foreign(_found with { FeedEpoch = _other }).Found.ShouldContain($"{_other}");
        Foreign(_found with { SystemIdentifier = "7002" }).Found.ShouldContain("7002");
        Foreign(_found with { Timeline = 1 }).Found.ShouldContain("timeline 1");
        Foreign(_found with { Timeline = 3, FeedEpoch = _other }).Found.ShouldContain($"{_other}");
    }

    [Fact]
    public void A_copy_from_before_is_foreign_by_its_feed_or_by_the_servers_log()
    {
        var behind = Foreign(_found with { Flushed = 5000, BinHeads = [.. Heads(10).Skip(1).Prepend(7)] });
        (behind.IsOlder, behind.Found).ShouldBe((true, "the catalog 3 mutations of the feed behind where it was seen"));
        var log = Foreign(_found with { Flushed = 999 });
        (log.IsOlder, log.Found).ShouldBe((true, "the database server's log at 0/3E7"));
    }

    [Fact]
    public void A_copy_that_went_another_way_is_foreign_however_far_it_has_come_and_after_a_promotion_it_has_lost_something()
    {
        var grown = _found with { Flushed = 5000, BinHeads = Heads(20) };
        Diverged(grown).ShouldBeOfType<CatalogAdmission.Foreign>().IsOlder.ShouldBeTrue();
        Diverged(grown with { Timeline = 3 }).ShouldBe(new CatalogAdmission.Promoted(2));

        static CatalogAdmission Diverged(CatalogIdentity found) =>
            CatalogAdmission.Judge(_known, "a", "default", true, found, [_epoch], diverged: 2);
    }

    [Fact]
    public void A_promotion_goes_on_also_where_another_node_has_begun_the_next_history_already()
    {
        Judge(_known, _found with { Timeline = 3 }).ShouldBe(new CatalogAdmission.Promoted(0));
        Judge(_known, _found with { Timeline = 3, Flushed = 1, BinHeads = Heads(9) }).ShouldBe(new CatalogAdmission.Promoted(16));
        CatalogAdmission
            .Judge(_known, "a", "default", true, _found with { Timeline = 3, FeedEpoch = _other }, [_epoch, _other])
            .ShouldBe(new CatalogAdmission.Promoted(0));
        // The next history on the same timeline is not of a promotion: somebody adopted an older copy.
        CatalogAdmission
            .Judge(_known, "a", "default", true, _found with { FeedEpoch = _other }, [_epoch, _other])
            .ShouldBeOfType<CatalogAdmission.Foreign>();
    }

    [Theory]
    [InlineData("b", "default")]
    [InlineData("a", "another")]
    public void The_folder_of_another_node_or_cluster_is_foreign(string node, string cluster) =>
        CatalogAdmission
            .Judge(_known, node, cluster, hasContents: false, _found, [_epoch])
            .ShouldBeOfType<CatalogAdmission.Foreign>()
            .Expected.ShouldContain("node 'a' of cluster 'default'");

    private static CatalogIdentity Empty =>
        _found with
        {
            SchemaVersion = null,
            ClusterId = null,
            FeedEpoch = null,
            BinHeads = null,
        };

    private static CatalogAdmission.Foreign Foreign(CatalogIdentity found) =>
        Judge(_known, found).ShouldBeOfType<CatalogAdmission.Foreign>();

    private static CatalogAdmission Judge(FolderIdentity? known, CatalogIdentity found, bool hasContents = true) =>
        CatalogAdmission.Judge(known, "a", "default", hasContents, found, [found.FeedEpoch ?? Guid.Empty]);

    private static long[] Heads(long each) => [.. Enumerable.Repeat(each, 16)];
}
