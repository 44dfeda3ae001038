using System.Net;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed;

/// <summary>The feed is kept no longer than it is needed, and whoever comes back from further behind lacks nothing.</summary>
public sealed class CompactedFeedTests
{
    private static readonly (string, string)[] _shortMemory = [("FileTransfer__Feed__Retention", "00:00:01")];

    [Thorough]
    [Fact]
    public async Task A_node_that_was_away_for_longer_than_the_feed_is_kept_compares_and_has_what_was_added_and_not_what_was_removed()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a", _shortMemory);
        var follower = await cluster.StartFollowerAsync("b");
        var before = await PutAsync(leader, "before", 24);
        foreach (var key in before)
        {
            await TestCluster.StoredAsync(follower, key);
        }

        await follower.KillAsync();
        foreach (var key in before[..12])
        {
            (await leader.DeleteAsync(key)).ShouldBe(HttpStatusCode.NoContent);
        }

        var after = await PutAsync(leader, "after", 24);
        await CompactedAsync(cluster);

        follower = await cluster.StartFollowerAsync("b");
        foreach (var key in after.Concat(before[12..]))
        {
            await TestCluster.StoredAsync(follower, key);
        }

        await follower.SaysAsync("it compared the bin's files");
        foreach (var key in before[..12])
        {
            await Eventually.HoldsAsync(async () => await follower.StateOfAsync(key) == "absent", $"{key} is gone from b");
        }

        // A node that has never been there begins with a comparison, too, and reads on where that ended.
        var late = await cluster.StartFollowerAsync("c");
        var last = await PutAsync(leader, "last", 8);
        foreach (var key in last.Concat(after).Concat(before[12..]))
        {
            await TestCluster.StoredAsync(late, key);
            await TestCluster.StoredAsync(follower, key);
        }

        late.Log.ShouldNotContain("cannot read the feed");
    }

    [Thorough]
    [Fact]
    public async Task A_cluster_that_asks_below_what_is_kept_is_told_so_and_compares()
    {
        await using var clusters = new TwoClusters();
        var cluster = await clusters.CreateAsync();
        var upstream = await TwoClusters.StartIn(cluster, "up", _shortMemory);
        var pulling = await clusters.CreateAsync();
        (string, string)[] settings = TwoClusters.PullingFrom(("up", upstream.Url));
        var downstream = await TwoClusters.StartIn(pulling, "down", settings);
        var before = await PutAsync(upstream, "before", 16);
        foreach (var key in before)
        {
            await TestCluster.StoredAsync(downstream, key);
        }

        await downstream.KillAsync();
        (await upstream.DeleteAsync(before[0])).ShouldBe(HttpStatusCode.NoContent);
        var after = await PutAsync(upstream, "after", 48);
        await CompactedAsync(cluster);
        var bin = Convert.ToInt32(after[0][2..3], 16);
        using var answer = await upstream.Http.GetAsync($"/v1/sync/bins/{bin}?from=1");
        answer.StatusCode.ShouldBe(HttpStatusCode.Gone);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("feed-compacted");

        downstream = await TwoClusters.StartIn(pulling, "down", settings);
        foreach (var key in after.Concat(before[1..]))
        {
            await TestCluster.StoredAsync(downstream, key);
        }

        await Eventually.HoldsAsync(
            async () =>
                (await StatusAsync()).GetProperty("bins").EnumerateArray().All(one => one.GetProperty("behind").GetInt64() == 0),
            "all of the feed is applied"
        );

        // Only a Remove that is read removes: what a comparison does not find is kept, and said.
        (await downstream.StateOfAsync(before[0])).ShouldBe("stored");
        (await StatusAsync()).GetProperty("kept").GetInt64().ShouldBe(1);

        async Task<System.Text.Json.JsonElement> StatusAsync() =>
            (await downstream.GetJsonAsync("/v1/sync/status")).GetProperty("upstreams")[0];
    }

    [Thorough]
    [Fact]
    public async Task The_feed_does_not_grow_while_files_come_and_go_even_for_a_node_that_does_not_read()
    {
        const int most = 20;
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync(
            "a",
            ("FileTransfer__Feed__Retention", "00:00:01"),
            ("FileTransfer__Feed__MostEntries", $"{most}")
        );
        var stuck = await cluster.StartFollowerAsync("b");
        var content = PlainFile.RandomBytes(500);
        var key = await leader.PutAsync(content, "comes and goes");
        await TestCluster.StoredAsync(stuck, key);

        // It is alive, and does not get on, for somebody holds its positions.
        await using (var connection = await cluster.Database.Pool.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await using var hold = connection.CreateCommand();
            hold.CommandText = "SELECT FROM filetransfer.feed_positions WHERE node_id = 'b' FOR UPDATE";
            await hold.ExecuteNonQueryAsync();
            for (var i = 0; i < 3 * most; i++)
            {
                (await leader.DeleteAsync(key)).ShouldBe(HttpStatusCode.NoContent);
                (await leader.PutAsync(content, "comes and goes")).ShouldBe(key);
            }

            await Eventually.HoldsAsync(
                async () => await cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.mutations") <= most,
                "no more is kept than is said"
            );
        }

        var bins = (await leader.GetJsonAsync("/v1/sync/cursors")).GetProperty("bins").EnumerateArray();
        bins.Max(bin => bin.GetProperty("retainedFrom").GetInt64()).ShouldBeGreaterThan(most);
        var next = await PutAsync(leader, "next", 16);
        foreach (var one in next.Append(key))
        {
            await TestCluster.StoredAsync(stuck, one);
        }
    }

    [Thorough]
    [Fact]
    public async Task The_feed_is_kept_until_a_follower_that_is_shipped_to_has_acknowledged_it()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a", _shortMemory);
        // Nobody answers there.
        using var follower = new StringContent("{\"url\":\"http://127.0.0.1:9\"}", Encoding.UTF8, "application/json");
        (await leader.Http.PutAsync("/v1/followers/archive", follower)).StatusCode.ShouldBe(HttpStatusCode.Created);
        await PutAsync(leader, "first", 64);
        await PutAsync(leader, "second", 64);
        await cluster.Database.ExecuteAsync("UPDATE filetransfer.follower_bins SET acknowledged = 1000 WHERE bin <> 5");

        await Eventually.HoldsAsync(
            async () =>
                await cluster.Database.ScalarAsync<long>(
                    "SELECT count(*) FROM filetransfer.bins WHERE retained_from < head AND bin <> 5"
                ) == 0,
            "all other bins are compacted"
        );
        (await cluster.Database.ScalarAsync<long>("SELECT retained_from FROM filetransfer.bins WHERE bin = 5")).ShouldBe(1);

        await leader.Http.DeleteAsync("/v1/followers/archive");
        await CompactedAsync(cluster);
    }

    private static async Task<string[]> PutAsync(NodeProcess node, string name, int count)
    {
        var keys = new List<string>();
        for (var i = 0; i < count; i++)
        {
            keys.Add(await node.PutAsync(PlainFile.RandomBytes(1000 + i), $"{name}/{i}"));
        }

        return [.. keys];
    }

    /// <summary>Waits until no more than the newest mutation of each bin is kept.</summary>
    private static Task CompactedAsync(TestCluster cluster) =>
        Eventually.HoldsAsync(
            async () =>
                await cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.bins WHERE retained_from < head")
                == 0,
            "the feed is compacted"
        );
}
