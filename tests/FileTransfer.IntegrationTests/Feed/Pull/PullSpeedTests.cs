using System.Diagnostics;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>What a cluster of its own costs beside a follower in the cluster. At full size it is shown, small it keeps looser bounds.</summary>
public sealed class PullSpeedTests
{
    [Thorough]
    [Fact]
    public async Task A_small_file_is_stored_at_the_other_cluster_moments_after_its_upload_was_answered()
    {
        await using var clusters = new TwoClusters();
        var up = await clusters.StartAsync("up");
        var downstream = await clusters.CreateAsync();
        var down = await TwoClusters.StartIn(downstream, "down", TwoClusters.PullingFrom(("up", up.Url)));
        await LatencyAsync(count: 10);
        var bounds = Showing.Of(small: (Median: 300.0, Rare: 1500.0, Proven: 4.0), full: (40, 150, 1));
        await Showing.UntilItHoldsAsync(async () =>
        {
            var took = await LatencyAsync(count: Showing.Of(20, 300));
            took.Sort();
            var (median, rare) = (took[took.Count / 2], took[took.Count * 99 / 100]);
            Showing.Tell(
                "an 8 KiB file, upload answered → stored at the other cluster's leader, median",
                median,
                bounds.Median,
                "ms"
            );
            Showing.Tell("the same, 99th percentile", rare, bounds.Rare, "ms");
            median.ShouldBeLessThan(bounds.Median);
            rare.ShouldBeLessThan(bounds.Rare);

            // The last one is applied, or it would not be stored: what is left is to say so.
            var since = Stopwatch.GetTimestamp();
            await down.InStepWithAsync("up");
            var proven = Stopwatch.GetElapsedTime(since).TotalSeconds;
            Showing.Tell("a file is stored → its cluster says that it is in step", proven, bounds.Proven, "s");
            proven.ShouldBeLessThan(bounds.Proven);
        });

        async Task<List<double>> LatencyAsync(int count)
        {
            var took = new List<double>();
            for (var i = 0; i < count; i++)
            {
                var file = PlainFile.Random(8192);
                await up.StoreAsync(file);
                var answered = DateTime.UtcNow;
                await TestCluster.StoredAsync(down, file.Key);
                var stored = await downstream.Database.ScalarAsync<DateTime>(
                    $"SELECT changed_at FROM filetransfer.replicas WHERE file_key = '\\x{file.Key[2..]}' AND node_id = 'a'"
                );
                took.Add((stored - answered).TotalMilliseconds);
            }

            return took;
        }
    }

    [Thorough]
    [Fact]
    public async Task A_history_of_small_files_takes_little_longer_than_at_a_follower_of_one_database()
    {
        await using var clusters = new TwoClusters();
        var upstream = await clusters.CreateAsync();
        var up = await TwoClusters.StartIn(upstream, "up");
        var files = Showing.Of(small: 600, full: 10_000);
        foreach (var group in Enumerable.Range(0, files).Select(_ => PlainFile.Random(8192)).Chunk(500))
        {
            (await up.PutAsync(PlainBatch.Of(group))).ShouldAllBe(line => line.Status() == 201);
        }

        var bound = Showing.Of(small: 4.0, full: 1.3);
        var ratios = new List<double>();
        for (var round = 0; round < Showing.Of(small: 1, full: 3); round++)
        {
            var follower = await upstream.StartFollowerAsync($"b{round}", ("FileTransfer__ClusterId", "up"));
            var shared = await SecondsAsync(upstream, follower.Id);
            (await follower.StopAsync()).ShouldBe(0);
            var downstream = await clusters.CreateAsync();
            var down = await TwoClusters.StartIn(downstream, "down", TwoClusters.PullingFrom(("up", up.Url)));
            var pulled = await SecondsAsync(downstream, down.Id);
            (await down.StopAsync()).ShouldBe(0);
            var what =
                $"{files} × 8 KiB of history, {pulled:0.00} s by pull beside {shared:0.00} s at a follower of one database";
            Showing.Tell(what, pulled / shared, bound, "×");
            ratios.Add(pulled / shared);
        }

        ratios.Order().ElementAt(ratios.Count / 2).ShouldBeLessThan(bound);

        async Task<double> SecondsAsync(TestCluster cluster, string node)
        {
            await Eventually.HoldsAsync(
                async () =>
                    await cluster.Database.ScalarAsync<long>(
                        $"SELECT count(*) FROM filetransfer.replicas WHERE node_id = '{node}' AND state = 'stored'"
                    ) == files,
                "all is stored",
                TimeSpan.FromMinutes(3)
            );
            return await cluster.Database.ScalarAsync<double>(
                $"SELECT extract(epoch FROM max(changed_at) - min(wanted_at))::float8 FROM filetransfer.replicas WHERE node_id = '{node}' AND state = 'stored'"
            );
        }
    }
}
