using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>What is held is not fetched again, and what was read of the feed is not read again.</summary>
public sealed class NothingTwiceTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    [Fact]
    public async Task A_second_file_with_a_content_that_is_held_is_stored_without_a_byte()
    {
        await using var source = await cluster.StartSourceAsync();
        var first = await source.OfferAsync(TestFile.Of(500_000, seed: 6));
        await first.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(first);
        var sent = source.BytesSent;

        var second = await source.OfferAsync(TestFile.Of(500_000, seed: 6));
        await second.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(second);

        source.BytesSent.ShouldBe(sent);
    }

    [Fact]
    public async Task Wanting_a_stored_file_again_fetches_nothing()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(500_000));
        await file.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(file);
        var epoch = (await cluster.ReplicaAsync(file))!.Value.GetProperty("epoch").GetInt64();

        await file.WantAtAsync(cluster.Follower);
        await file.WantAtAsync(cluster.Follower);

        await cluster.StoredAsync(file);
        (await cluster.ReplicaAsync(file))!.Value.GetProperty("epoch").GetInt64().ShouldBe(epoch);
        source.BytesSent.ShouldBeLessThan(520_000);
    }

    [Thorough]
    [Fact]
    public async Task A_restarted_follower_neither_fetches_nor_reads_again_what_it_has()
    {
        await using var own = await TestCluster.CreateAsync();
        var leader = await own.StartLeaderAsync("a");
        var follower = await own.StartFollowerAsync("b");
        var files = Enumerable.Range(0, 20).Select(_ => TestFile.Of(20_000)).ToList();
        foreach (var file in files)
        {
            await leader.PutAsync(file.Content, file.Location);
        }

        foreach (var file in files)
        {
            await TestCluster.StoredAsync(follower, file.Key.ToString());
        }

        const string rows = "SELECT string_agg(r::text, ';' ORDER BY file_key) FROM filetransfer.replicas r WHERE node_id = 'b'";
        // A bin that was never read has no position, or 0.
        const string positions =
            "SELECT string_agg(p::text, ';' ORDER BY bin) FROM filetransfer.feed_positions p WHERE node_id = 'b' AND sequence > 0";
        var before = (await own.Database.ScalarAsync<string>(rows), await own.Database.ScalarAsync<string>(positions));

        await follower.KillAsync();
        follower = await own.StartFollowerAsync("b");
        var next = TestFile.Of(20_000);
        await leader.PutAsync(next.Content, next.Location);
        await TestCluster.StoredAsync(follower, next.Key.ToString());

        await own.Database.ExecuteAsync($"DELETE FROM filetransfer.replicas WHERE node_id = 'b' AND file_key = {next.KeySql}");
        await own.Database.ExecuteAsync(
            $"UPDATE filetransfer.feed_positions SET sequence = sequence - 1 WHERE node_id = 'b' AND bin = {next.Key.Bin}"
        );
        var after = (await own.Database.ScalarAsync<string>(rows), await own.Database.ScalarAsync<string>(positions));
        after.ShouldBe(before);
    }
}
