using System.Diagnostics;
using System.Net;
using FileTransfer.Chunks.Frames;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Downloads.Sources;

/// <summary>A download has many sources: one that lies, dies, trickles or lacks the file costs its own windows and nothing else.</summary>
public sealed class BadSourcesTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    private const int WindowFrames = 64 * ChunkFrame.Length;

    [Fact]
    public async Task One_wrong_chunk_in_ten_thousand_is_found_named_and_fetched_from_another_source_and_nothing_proven_comes_twice()
    {
        var file = TestFile.Of(10_000 * 1024);
        await using var liar = await cluster.StartSourceAsync();
        await using var first = await cluster.StartSourceAsync();
        await using var second = await cluster.StartSourceAsync();
        FakeSource[] sources = [liar, first, second];
        await OfferAsync(file, sources);
        liar.LiesInBody = 2;

        await file.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(file);

        liar.LiedAt.ShouldNotBeNull();
        cluster.Follower.Log.ShouldContain(
            $"node '{liar.Id}' at {await UrlOfAsync(liar)} sent chunk {liar.LiedAt} with other bytes than the file has"
        );
        // Requests that were under way when the chunk was proven wrong may still end; a third of the windows would be more than fifty.
        liar.Requests.ShouldBeLessThan(20, "it is not asked again");
        sources
            .Sum(source => source.BytesSent)
            .ShouldBeLessThan(
                ChunkFrame.BodyLength(file.Content.Length) + (3 * ChunkFrame.Length) + (4 * WindowFrames),
                "what the liar had under way, and a race at the end"
            );
    }

    [Thorough]
    [Theory]
    [InlineData(8_000_000)]
    [InlineData(60_000)]
    public async Task A_source_that_trickles_is_replaced_within_fifteen_seconds(int size)
    {
        // The patience of the defaults.
        await using var own = await TestCluster.CreateAsync();
        var follower = await own.StartFollowerAsync("b");
        await follower.CheckSaysAsync("membership", "healthy");
        await using var trickle = await FakeSource.StartAsync(own.Database, "trickle");
        trickle.BytesPerSecond = 1024;
        await using var good = await FakeSource.StartAsync(own.Database, "good");
        var file = await trickle.OfferAsync(TestFile.Of(size));
        await file.WantAtAsync(follower);
        await Eventually.HoldsAsync(() => Task.FromResult(trickle.Requests > 0), "it trickles");

        var clock = Stopwatch.StartNew();
        await good.OfferAsync(file);
        await TestCluster.StoredAsync(follower, file.Key.ToString());

        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(Showing.Of(small: 30, full: 15)));
    }

    [Fact]
    public async Task Files_whose_sources_are_all_away_wait_while_others_go_on_and_start_within_two_seconds_when_one_is_back()
    {
        var pauses = new List<TimeSpan>();
        for (var round = 0; round < 3; round++)
        {
            var port = PortOfOwn.Next();
            var id = $"away-{round}";
            await FakeSource.RegisterNodeAsync(cluster.Database, id, $"http://127.0.0.1:{port}");
            var file = TestFile.Of(200_000);
            await file.AddAsync(cluster.Database, id);
            await file.WantAtAsync(cluster.Follower);
            await cluster.ReplicaIsAsync(file, "wanted", $"node '{id}'");
            (await cluster.ReplicaAsync(file))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);

            await using var other = await cluster.StartSourceAsync();
            var next = await other.OfferAsync(TestFile.Of(200_000));
            await next.WantAtAsync(cluster.Follower);
            await cluster.StoredAsync(next);

            await using var back = await FakeSource.StartAsync(cluster.Database, id, port);
            back.Knows(file);
            var clock = Stopwatch.StartNew();
            await Eventually.HoldsAsync(() => Task.FromResult(back.Requests > 0), "it is asked for the file");
            pauses.Add(clock.Elapsed);
            await cluster.StoredAsync(file);
        }

        pauses.Order().ElementAt(1).ShouldBeLessThan(TimeSpan.FromSeconds(Showing.Of(small: 6, full: 2)));
    }

    [Thorough]
    [Fact]
    public async Task Sources_that_die_at_every_tenth_window_cost_those_windows_and_no_attempt()
    {
        var file = TestFile.Of(8_000_000);
        await using var first = await cluster.StartSourceAsync();
        await using var second = await cluster.StartSourceAsync();
        await OfferAsync(file, first, second);
        first.ClosesEvery = 10;
        second.ClosesEvery = 10;

        await file.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(file);

        var deaths = (first.Requests / 10) + (second.Requests / 10);
        deaths.ShouldBeGreaterThan(5);
        (await cluster.ReplicaAsync(file))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);
        (first.BytesSent + second.BytesSent).ShouldBeLessThan(
            ChunkFrame.BodyLength(file.Content.Length) + ((deaths + 4) * WindowFrames)
        );
    }

    [Fact]
    public async Task A_source_that_has_not_got_the_file_and_one_with_other_hashes_are_passed_over()
    {
        var file = TestFile.Of(2_000_000);
        await using var without = await cluster.StartSourceAsync();
        await using var liar = await cluster.StartSourceAsync();
        await using var good = await cluster.StartSourceAsync();
        await OfferAsync(file, without, liar, good);
        without.Status = (int)HttpStatusCode.NotFound;
        liar.SendsOtherHashes = true;

        await file.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(file);

        (await cluster.ReplicaAsync(file))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);
        (good.BytesSent + liar.BytesSent).ShouldBeLessThan(
            ChunkFrame.BodyLength(file.Content.Length) + (4 * ChunkFrame.Length) + (4 * WindowFrames)
        );
    }

    [Fact]
    public async Task A_file_removed_while_ten_windows_are_in_flight_ends_them_all_and_leaves_nothing()
    {
        var file = TestFile.Of(10_000_000);
        var sources = new List<FakeSource>();
        for (var i = 0; i < 5; i++)
        {
            sources.Add(await cluster.StartSourceAsync());
            sources[i].BytesPerSecond = 20_000;
        }

        await OfferAsync(file, [.. sources]);
        await file.WantAtAsync(cluster.Follower);
        await Eventually.HoldsAsync(() => Task.FromResult(sources.Sum(source => source.Open) == 10), "ten windows are in flight");

        (await cluster.Leader.Http.DeleteAsync($"/v1/files/{file.Key}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        await Eventually.HoldsAsync(() => Task.FromResult(sources.TrueForAll(source => source.Open == 0)), "they are ended");
        await Eventually.HoldsAsync(async () => await cluster.ReplicaAsync(file) is null, "it is gone from the follower");
        cluster.HasPartialOf(file).ShouldBeFalse();
        cluster.HasContentOf(file).ShouldBeFalse();
        foreach (var source in sources)
        {
            await source.DisposeAsync();
        }
    }

    [Thorough]
    [Fact]
    public async Task A_request_that_fails_of_this_node_frees_its_slot_and_the_file_is_tried_again()
    {
        await using var own = await TestCluster.CreateAsync();
        var follower = await own.StartFollowerAsync(
            "b",
            [.. SourceCluster.Impatient, ("FileTransfer__Limits__Requests", "1"), ("FileTransfer__Downloads__Lanes", "1")]
        );
        await follower.CheckSaysAsync("membership", "healthy");
        await using var source = await FakeSource.StartAsync(own.Database, "source");
        var before = await source.OfferAsync(TestFile.Of(5_000));
        await before.WantAtAsync(follower);
        await TestCluster.StoredAsync(follower, before.Key.ToString());
        var file = await source.OfferAsync(TestFile.Of(500_000));
        // The first claim has epoch 2; where its partial is to be is a file.
        var inTheWay = Path.Combine(follower.DataDirectory, "partial", $"{file.Key.ToHex()}.2");
        await File.WriteAllTextAsync(inTheWay, "");

        await file.WantAtAsync(follower);
        await TestCluster.StoredAsync(follower, file.Key.ToString());

        follower.Log.ShouldContain("hit a disk failure");
        (
            await own.Database.ScalarAsync<long>(
                $"SELECT epoch FROM filetransfer.replicas WHERE node_id = 'b' AND file_key = {file.KeySql}"
            )
        ).ShouldBeGreaterThan(2);
        File.Delete(inTheWay);
    }

    private static async Task OfferAsync(TestFile file, params FakeSource[] sources)
    {
        foreach (var source in sources)
        {
            await source.OfferAsync(file);
        }
    }

    private Task<string?> UrlOfAsync(FakeSource source) =>
        cluster.Database.ScalarAsync<string>($"SELECT url FROM filetransfer.nodes WHERE node_id = '{source.Id}'");
}
