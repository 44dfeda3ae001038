using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Downloads.Sources;

/// <summary>Wrong bytes cost the file and the source they are of, and not for ever.</summary>
public sealed class BlameThatFadesTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    [Theory]
    [InlineData(60_000)]
    [InlineData(1_000_000)]
    public async Task One_flipped_bit_in_flight_and_a_second_one_in_another_file_are_asked_for_again_and_nothing_else_suffers(
        int size
    )
    {
        await using var source = await cluster.StartSourceAsync();
        for (var flip = 0; flip < 2; flip++)
        {
            var file = await source.OfferAsync(TestFile.Of(size));
            // The body that is asked for next.
            source.LiesInBody = source.Requests + 1;
            await file.WantAtAsync(cluster.Follower);
            await cluster.StoredAsync(file);
        }

        var other = await source.OfferAsync(TestFile.Of(size));
        await other.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(other);
        (await cluster.ReplicaAsync(other))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);
        await Eventually.HoldsAsync(() => Task.FromResult(!source.Told.IsEmpty), "the source is told of what it sent");
    }

    [Fact]
    public async Task Two_contents_that_are_rotten_at_their_only_source_fail_alone_and_come_by_themselves_when_it_is_mended()
    {
        await using var source = await cluster.StartSourceAsync();
        TestFile[] rotten = [await source.OfferAsync(TestFile.Of(60_000)), await source.OfferAsync(TestFile.Of(1_000_000))];
        foreach (var file in rotten)
        {
            source.Rotten[file.Key] = true;
            await file.WantAtAsync(cluster.Follower);
        }

        foreach (var file in rotten)
        {
            await cluster.ReplicaIsAsync(file, "failed", $"node '{source.Id}'");
        }

        var demoted = await SourceAsync(source.Id);
        demoted.GetProperty("state").GetString().ShouldBe("demoted");
        demoted.GetProperty("strikes").GetInt32().ShouldBe(2);
        demoted.GetProperty("until").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UtcNow);
        demoted.GetProperty("since").GetDateTimeOffset().ShouldBeLessThan(DateTimeOffset.UtcNow);
        var health = (await cluster.Follower.GetJsonAsync("/health/ready")).GetProperty("checks").GetProperty("sources");
        health.GetProperty("status").GetString().ShouldBe("degraded");
        health.GetProperty("detail").GetString().ShouldNotBeNull().ShouldContain($"node {source.Id} is asked last");
        var explained = await cluster.Follower.GetJsonAsync($"/v1/files/{rotten[0].Key}/explain");
        explained
            .GetProperty("says")
            .EnumerateArray()
            .ShouldContain(line => line.GetString()!.Contains($"node {source.Id} is asked last since"));
        source.Told.ShouldContain(told => told.Key == rotten[1].Key.ToString() && told.Body.Contains("\"chunk\":"));

        var good = await source.OfferAsync(TestFile.Of(200_000));
        await good.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(good);

        source.Rotten.Clear();
        await cluster.Database.ExecuteAsync(
            $"UPDATE filetransfer.nodes SET started_at = now(), seen_at = now(), instance = gen_random_uuid() WHERE node_id = '{source.Id}'"
        );
        foreach (var file in rotten)
        {
            await cluster.StoredAsync(file);
        }
    }

    [Fact]
    public async Task What_failed_for_a_cause_is_tried_again_when_a_person_says_so()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(60_000));
        source.Status = 500;
        await file.WantAtAsync(cluster.Follower);
        await cluster.ReplicaIsAsync(file, "failed", "answered 500");

        using (var unknown = await cluster.Follower.Http.PostAsync("/v1/retry?cause=bad-luck", null))
        {
            await unknown.ShouldBeProblemAsync(400, "bad-request", "bad-luck", "wrong-bytes", "refused");
        }

        (await RetriedAsync("?cause=stalled")).ShouldBe(0);
        await Eventually.HoldsAsync(
            async () => await RetriedAsync("?cause=refused") == 1,
            "it is tried again, unless the node does so by itself just now"
        );
        source.Status = null;
        await cluster.StoredAsync(file);

        using var again = await cluster.Follower.Http.PostAsync($"/v1/files/{file.Key}/retry", null);
        (await again.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("state").GetString().ShouldBe("stored");
    }

    [Thorough]
    [Fact]
    public async Task A_proxy_that_flips_a_bit_in_two_of_a_hundred_reads_leaves_nothing_behind_a_minute_later()
    {
        await using var own = await TestCluster.CreateAsync();
        await using var proxy = new ForwardingProxy();
        var leader = await own.StartLeaderAsync("a", ("FileTransfer__AdvertisedUrl", proxy.Url));
        proxy.Target = leader.Http.BaseAddress;
        proxy.FlippedShare = Showing.Of(small: 0.1, full: 0.02);
        var follower = await own.StartFollowerAsync("b");
        var files = new List<TestFile>();
        var clock = Stopwatch.StartNew();
        var flipping = Showing.Of(small: TimeSpan.FromSeconds(6), full: TimeSpan.FromSeconds(30));
        while (clock.Elapsed < flipping || (proxy.Flips <= 3 && clock.Elapsed < TimeSpan.FromSeconds(30)))
        {
            var file = TestFile.Of(files.Count % 10 == 9 ? 6_000_000 : 1_000 + (files.Count % 7 * 50_000));
            await leader.PutAsync(file.Content, file.Location);
            files.Add(file);
        }

        proxy.Flips.ShouldBeGreaterThan(3, "it flips enough of them to matter");
        proxy.FlippedShare = 0;
        clock.Restart();
        foreach (var file in files)
        {
            await TestCluster.StoredAsync(follower, file.Key.ToString(), TimeSpan.FromSeconds(60) - clock.Elapsed);
        }

        Showing.Tell($"{files.Count} files after {proxy.Flips} flips", clock.Elapsed.TotalSeconds, 60, "s");
    }

    private async Task<int> RetriedAsync(string query)
    {
        using var answer = await cluster.Follower.Http.PostAsync($"/v1/retry{query}", null);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("retried").GetInt32();
    }

    private async Task<JsonElement> SourceAsync(string id) =>
        (await cluster.Follower.GetJsonAsync("/v1/sources"))
            .GetProperty("sources")
            .EnumerateArray()
            .Single(source => source.GetProperty("source").GetString() == $"node {id}");
}
