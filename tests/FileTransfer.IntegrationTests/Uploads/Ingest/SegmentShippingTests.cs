using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Uploads.Ingest;

/// <summary>How a database's log segments reach its followers.</summary>
public sealed class SegmentShippingTests
{
    [Fact]
    public async Task Ten_sealed_segments_are_at_three_followers_in_order_one_that_is_away_delays_none_and_gets_just_what_it_lacks()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = WatchFolder.In(cluster);
        var leader = await cluster.StartLeaderAsync("a", folder.Settings());
        var followers = await Task.WhenAll(
            cluster.StartFollowerAsync("b"),
            cluster.StartFollowerAsync("c"),
            cluster.StartFollowerAsync("d")
        );
        await Eventually.HoldsAsync(
            async () => (await WatchFolder.StatusAsync(leader)).GetProperty("listedAt").GetString() is not null,
            "the folder was listed"
        );

        var first = Enumerable.Range(1, 5).Select(i => folder.Drop(NameOf(i), 200_000)).ToList();
        foreach (var follower in followers)
        {
            foreach (var segment in first)
            {
                await TestCluster.StoredAsync(follower, segment.Key);
            }
        }

        // One follower is away; the node is told to stop right after the tenth segment.
        await followers[2].KillAsync();
        var last = Enumerable.Range(6, 5).Select(i => folder.Drop(NameOf(i), 200_000)).ToList();
        (await leader.StopAsync()).ShouldBe(0);
        leader = await cluster.StartLeaderAsync("a", folder.Settings());
        foreach (var follower in followers[..2])
        {
            foreach (var segment in last)
            {
                await TestCluster.StoredAsync(follower, segment.Key);
            }
        }

        (await WatchFolder.AddedAsync(cluster)).ShouldBe(Enumerable.Range(1, 10).Select(i => "log/" + NameOf(i)));
        await WatchFolder.AcknowledgedAsync(leader, NameOf(5), "a", "b", "c", "d");
        await WatchFolder.AcknowledgedAsync(leader, NameOf(10), "a", "b", "c");

        var back = await cluster.StartFollowerAsync("d");
        await WatchFolder.AcknowledgedAsync(leader, NameOf(10), "a", "b", "c", "d");
        foreach (var segment in last)
        {
            await back.SaysAsync($"Stored {segment.Key}");
        }

        first.ForEach(segment => back.Log.ShouldNotContain(segment.Key));
        back.Log.ShouldNotContain("compared the bin's files");
    }

    private static string NameOf(int segment) => $"{1:X8}{0:X8}{segment:X8}.wal.sealed";
}
