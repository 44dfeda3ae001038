using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Uploads.Ingest;

/// <summary>How a database's log segments reach followers that share nothing with the leader.</summary>
public sealed class SegmentShippingTests
{
    [Thorough]
    [Fact]
    public async Task Ten_sealed_segments_are_at_three_followers_in_order_one_that_is_away_delays_none_and_gets_just_what_it_lacks()
    {
        string[] names = ["east", "north", "west"];
        await using var clusters = new TwoClusters();
        var home = await clusters.CreateAsync();
        var folder = WatchFolder.In(home);
        var databases = new List<TestCluster>();
        foreach (var _ in names)
        {
            databases.Add(await clusters.CreateAsync());
        }

        var places = names.Select(_ => TwoClusters.PlaceOfOwn()).ToList();
        var leading = StartLeaderAsync();
        var followers = await Task.WhenAll(Enumerable.Range(0, 3).Select(StartFollowerAsync));
        var leader = await leading;
        foreach (var (name, place) in names.Zip(places))
        {
            await leader.ShipToAsync(name, place.Url);
        }

        await Eventually.HoldsAsync(
            async () => (await WatchFolder.StatusAsync(leader)).GetProperty("listedAt").GetString() is not null,
            "the folder was listed"
        );
        var first = Enumerable.Range(1, 5).Select(i => folder.Drop(NameOf(i), 200_000)).ToList();
        await AcknowledgedAsync(1, 5);

        // One follower is away; the leader is told to stop right after the tenth segment.
        await followers[2].KillAsync();
        var last = Enumerable.Range(6, 5).Select(i => folder.Drop(NameOf(i), 200_000)).ToList();
        (await leader.StopAsync()).ShouldBe(0);

        // Nothing more comes from a leader that has gone: what is here is what it shipped.
        foreach (var (database, follower) in databases.Zip(followers).Take(2))
        {
            foreach (var segment in first.Concat(last))
            {
                (await follower.StateOfAsync(segment.Key)).ShouldBe("stored");
            }

            await InOrderAsync(database);
        }

        await InOrderAsync(home);
        leader = await StartLeaderAsync();
        (await leader.FollowerIsAsync("west", "unreachable")).GetProperty("lagEntries").GetInt64().ShouldBe(5);
        var back = await StartFollowerAsync(2);
        await leader.FollowerIsAsync("west", "inStep");
        await AcknowledgedAsync(6, 5);
        last.ForEach(segment => back.Log.ShouldContain($"Stored {segment.Key} at a as it was sent here"));
        first.ForEach(segment => back.Log.ShouldNotContain(segment.Key));
        back.Log.ShouldNotContain("compared the bin's files");
        await InOrderAsync(databases[2]);

        // Each bin has a position of its own.
        async Task AcknowledgedAsync(int from, int count)
        {
            foreach (var segment in Enumerable.Range(from, count))
            {
                await WatchFolder.AcknowledgedAsync(leader, NameOf(segment), ["a", .. names.Select(name => $"follower {name}")]);
            }
        }

        Task<NodeProcess> StartLeaderAsync() => TwoClusters.StartIn(home, "up", folder.Settings());

        Task<NodeProcess> StartFollowerAsync(int i) =>
            TwoClusters.StartIn(databases[i], names[i], places[i].Setting, ("FileTransfer__Sync__AcceptFrom__0", "up"));
    }

    /// <summary>All ten were added, those of one bin in their order, but for those of one commit; a feed has no other.</summary>
    private static async Task InOrderAsync(TestCluster cluster)
    {
        var added = await WatchFolder.AddedByBinAsync(cluster);
        added.SelectMany(bin => bin).Order().ShouldBe(Enumerable.Range(1, 10).Select(i => "log/" + NameOf(i)));
        added.ShouldAllBe(bin => bin.SequenceEqual(bin.Order()));
    }

    private static string NameOf(int segment) => $"{1:X8}{0:X8}{segment:X8}.wal.sealed";
}
