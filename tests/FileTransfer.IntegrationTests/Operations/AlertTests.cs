using System.Diagnostics;
using System.Globalization;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>What an alert is for happens to real nodes, and it fires on what they tell then. That of a clock is with the facts of clocks that are set.</summary>
public sealed class AlertTests
{
    private const long GiB = 1L << 30;
    private const string Floor = "FileTransfer__Store__FreeSpaceFloorBytes";
    private const string Lag = "filetransfer_feed_lag";

    private readonly HashSet<string> _provoked = ["FileTransferClockJumped"];

    [Fact]
    public async Task Each_alert_fires_on_what_real_nodes_tell_when_it_happens()
    {
        await using var cluster = await TestCluster.CreateAsync();
        await using var other = await TestCluster.CreateAsync();
        await using var wire = new DatabaseWire(cluster.ConnectionString);
        using var folder = new TempFolder();
        using (var authority = new TestAuthority("Nodes"))
        {
            authority.Write(folder.At("a.pem"), "a");
        }

        var free = new DriveInfo(folder.At("")).AvailableFreeSpace;
        var a = await cluster.StartLeaderAsync(
            "a",
            ("FileTransfer__ClientCertificate__Path", folder.At("a.pem")),
            (Floor, (free - (20 * GiB)).ToString(CultureInfo.InvariantCulture))
        );
        cluster.ConnectionString = wire.ConnectionString;
        var b = await cluster.StartFollowerAsync("b", SourceCluster.Impatient);
        var z = await other.StartLeaderAsync("z");
        var first = TestFile.Of(10);
        await a.PutAsync(first.Content, first.Location);
        await TestCluster.StoredAsync(b, first.Key.ToString());
        var (calm, calmOther) = (await Scrape.OfAsync(a, b), await Scrape.OfAsync(z));

        // Another database, in which another node leads; a content there that nobody can give back; then no room.
        await FireAsync(calm, await Scrape.OfAsync(a, b, z), "FileTransferTwoLeaders");
        var rotten = PlainFile.Random(100_000);
        await z.StoreAsync(rotten);
        StoredOnDisk.Flip(z, rotten.Fingerprint, 50_000);
        using (await z.Http.GetAsync($"/download/{rotten.Key}", HttpCompletionOption.ResponseHeadersRead)) { }
        await FireWhenAsync(calmOther, [z], "filetransfer_contents_damaged", 1, "FileTransferContentDamaged");
        await z.StopAsync();
        z = await other.StartLeaderAsync("z", (Floor, "1000000000000000"));
        await FireAsync(calmOther, await Scrape.OfAsync(z), "FileTransferDiskFull");

        await FireAsync(await Scrape.OfAsync(b), await Scrape.OfAsync(a), "FileTransferCertificateExpires");
        await FillsAsync(a, folder);

        // A source that sends wrong bytes of several files, and a file that nobody has.
        await using var source = await FakeSource.StartAsync(cluster.Database, "source");
        source.SendsOtherHashes = true;
        for (var i = 0; i < 3; i++)
        {
            await (await source.OfferAsync(TestFile.Of(200_000))).WantAtAsync(b);
        }

        await TestFile.Of(10).WantAtAsync(b);
        await FireWhenAsync(
            calm,
            [a, b],
            "filetransfer_sources_demoted",
            1,
            "FileTransferSourceDemoted",
            "FileTransferProofFails"
        );
        await Eventually.HoldsAsync(
            async () => (await Scrape.OfAsync(b)).Any(one => IsFailed(one.Key) && one.Value > 0),
            "files were given up"
        );
        await cluster.Database.ExecuteAsync(
            "UPDATE filetransfer.replicas SET wanted_at = now() - interval '2 hours' WHERE node_id = 'b' AND state = 'wanted'"
        );
        await FireWhenAsync(
            calm,
            [a, b],
            "filetransfer_queue_oldest_seconds",
            3601,
            "FileTransferWantedTooLong",
            "FileTransferFilesFailed"
        );

        await a.ShipToAsync("archive", new Uri("http://127.0.0.1:9"));
        await AgesAsync(a);

        // The history of a bin that was lost in part.
        await cluster.Database.ExecuteAsync(
            $"""
            INSERT INTO filetransfer.mutations (bin, sequence, kind, file_key, leader_epoch)
            SELECT bin, head + s, 'add', {first.KeySql}, 1 FROM filetransfer.bins, generate_series(2, 2000) s WHERE bin = {first.Key.Bin};
            UPDATE filetransfer.bins SET head = head + 2000 WHERE bin = {first.Key.Bin}
            """
        );
        await Eventually.HoldsAsync(
            async () => (await Scrape.OfAsync(b)).Of("filetransfer_feed_stalled") > 0,
            "b cannot read the feed"
        );
        await FireWhenAsync(
            calm,
            [a, b],
            Lag,
            2_000,
            "FileTransferFeedStalled",
            "FileTransferFollowerLags",
            "FileTransferLagDoesNotShrink"
        );

        await LosesSessionsAsync(cluster, b);
        wire.Cut();
        await Eventually.HoldsAsync(
            async () => (await Scrape.OfAsync(b)).Of("filetransfer_database_up") == 0,
            "b does not reach its database"
        );
        await a.StopAsync();
        await FireAsync(
            calm,
            await Scrape.OfAsync(a, b),
            "FileTransferDatabaseLost",
            "FileTransferNoLeader",
            "FileTransferNodeGone"
        );
        _provoked.Order().ShouldBe(AlertRules.Names().Order(), "every alert is provoked");
    }

    private static bool IsFailed(string series) =>
        series.StartsWith("filetransfer_queue_files{", StringComparison.Ordinal)
        && series.Contains("state=\"failed\"", StringComparison.Ordinal);

    /// <summary>What is not acknowledged grows older by a minute each minute.</summary>
    private async Task AgesAsync(NodeProcess node)
    {
        const string age = "filetransfer_shipping_lag_age_seconds";
        Scrape? before = null;
        Scrape? after = null;
        await Eventually.HoldsAsync(
            async () => (before = await Scrape.OfAsync(node)).Of(age) > 0,
            "something is not acknowledged"
        );
        await Eventually.HoldsAsync(async () => (after = await Scrape.OfAsync(node)).Of(age) > before!.Of(age), "it grows older");
        await FireAsync(before!, after!, ["FileTransferShippingLags"], minutes: (after!.Of(age) - before!.Of(age)) / 60);
    }

    /// <summary>The disk has a GiB less; at one each hour it is at its floor, 20 GiB away, within five days.</summary>
    private async Task FillsAsync(NodeProcess node, TempFolder folder)
    {
        var before = await Scrape.OfAsync(node);
        using (var fill = Process.Start("fallocate", ["-l", $"{GiB}", folder.At("filled")]))
        {
            await fill.WaitForExitAsync();
            fill.ExitCode.ShouldBe(0);
        }

        await FireAsync(before, await Scrape.OfAsync(node), ["FileTransferDiskFullInFiveDays"], minutes: 60);
        File.Delete(folder.At("filled"));
    }

    private async Task LosesSessionsAsync(TestCluster cluster, NodeProcess node)
    {
        const string lost = "filetransfer_lock_sessions_lost_total";
        var before = await Scrape.OfAsync(node);
        for (var i = 1; i <= 6; i++)
        {
            await Eventually.HoldsAsync(
                async () => (await Scrape.OfAsync(node)).Of("filetransfer_node_joined") == 1,
                $"{node.Id} has joined"
            );
            await cluster.Database.ExecuteAsync(
                $"""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = '{node.Id}/node'
                """
            );
            await Eventually.HoldsAsync(
                async () => (await Scrape.OfAsync(node)).Of(lost) - before.Of(lost) >= i,
                $"{node.Id} has lost its session {i} times"
            );
        }

        await FireAsync(before, await Scrape.OfAsync(node), "FileTransferSessionsLost");
    }

    private async Task FireWhenAsync(Scrape before, NodeProcess[] nodes, string metric, double least, params string[] alerts)
    {
        Scrape? after = null;
        await Eventually.HoldsAsync(
            async () => (after = await Scrape.OfAsync(nodes)).Of(metric) >= least,
            $"{metric} is at least {least}"
        );
        await FireAsync(before, after!, alerts);
    }

    private Task FireAsync(Scrape before, Scrape after, params string[] alerts) => FireAsync(before, after, alerts, null);

    private Task FireAsync(Scrape before, Scrape after, string[] alerts, double? minutes)
    {
        _provoked.UnionWith(alerts);
        return AlertRules.FireAsync(before, after, alerts, minutes);
    }
}
