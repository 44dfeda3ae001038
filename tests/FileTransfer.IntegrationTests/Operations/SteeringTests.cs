using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>A person says what a node does now, and for how long; it is told why nothing comes meanwhile.</summary>
public sealed class SteeringTests : IAsyncLifetime
{
    private TestCluster _cluster = null!;
    private NodeProcess _leader = null!;
    private NodeProcess _follower = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        _leader = await _cluster.StartLeaderAsync("node-a");
        _follower = await _cluster.StartAsync(
            "node-b",
            ("FileTransfer__Limits__Download", "1MiB/s"),
            ("FileTransfer__Downloads__Lanes", "1")
        );
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Thorough]
    [Fact]
    public async Task A_file_that_is_paused_keeps_what_it_has_over_a_restart_until_it_is_resumed()
    {
        var key = await _leader.PutAsync(PlainFile.RandomBytes(24 * 1024 * 1024), "large");
        await Eventually.HoldsAsync(async () => await ProvenAsync(key) > 0, "some of it has come");

        var paused = await SendAsync(HttpMethod.Post, "/v1/downloads/pause", new { key, @for = "1h" });

        paused.GetProperty("downloads").GetInt32().ShouldBe(1);
        await Eventually.HoldsAsync(async () => await _follower.StateOfAsync(key) == "paused", "it is paused");
        (await ProvenAsync(key)).ShouldBeGreaterThan(0);
        (await SaysAsync(key))[0].ShouldContain("It is paused: paused by anonymous until");
        (await _follower.StopAsync()).ShouldBe(0);
        _follower = await _cluster.StartAsync("node-b");
        await Eventually.HoldsAsync(
            async () => (await PausesAsync()) is [var one] && one.GetProperty("key").GetString() == key,
            "the pause is there after the restart"
        );
        (await _follower.StateOfAsync(key)).ShouldBe("paused");

        var would = await SendAsync(HttpMethod.Post, "/v1/downloads/resume?dryRun=true", new { });
        (would.GetProperty("dryRun").GetBoolean(), would.GetProperty("files").GetInt64()).ShouldBe((true, 1));
        (await _follower.StateOfAsync(key)).ShouldBe("paused");
        (await SendAsync(HttpMethod.Post, "/v1/downloads/resume", new { key })).GetProperty("files").GetInt64().ShouldBe(1);
        await TestCluster.StoredAsync(_follower, key);
    }

    [Thorough]
    [Fact]
    public async Task Paused_buckets_and_pauses_of_everything_hold_up_what_comes_new_and_end_by_themselves()
    {
        var of = new { bucket = "0x0b", forever = true };
        await SendAsync(HttpMethod.Post, "/v1/downloads/pause", of);
        var (inside, outside) = (await PutAsync("0x0b"), await PutAsync("0x0c"));
        await TestCluster.StoredAsync(_follower, outside);
        await Eventually.HoldsAsync(
            async () => await _follower.StateOfAsync(inside) == "paused",
            "a file of the bucket is paused"
        );
        (await _follower.GetJsonAsync("/v1/nodes")).GetProperty("nodes")[1].GetProperty("paused").GetInt64().ShouldBe(1);

        await SendAsync(HttpMethod.Post, "/v1/downloads/pause", new { @for = "4s" });
        var later = await PutAsync("0x0c");
        await Eventually.HoldsAsync(
            async () =>
                (await SaysAsync(later))[0]
                    .Contains("No download starts here: paused by anonymous until", StringComparison.Ordinal),
            "it says that everything is paused"
        );
        await TestCluster.StoredAsync(_follower, later);

        var resumed = await TestedProgram.RunAsync("resume", "--bucket", "0x0b", "--url", $"{_follower.Url}");
        resumed.ShouldBe((0, "1 files are wanted again at node-b\n"));
        await TestCluster.StoredAsync(_follower, inside);

        using var tooLong = await _follower.Http.PostAsJsonAsync("/v1/downloads/pause", new { @for = "25h" });
        await tooLong.ShouldBeProblemAsync(400, "bad-request", "25h");
    }

    [Thorough]
    [Fact]
    public async Task A_higher_priority_takes_the_lane_and_a_cancelled_download_leaves_nothing()
    {
        var early = await _leader.PutAsync(PlainFile.RandomBytes(24 * 1024 * 1024), "early");
        await Eventually.HoldsAsync(async () => await ProvenAsync(early) > 0, "some of it has come");
        var late = await _leader.PutAsync(PlainFile.RandomBytes(24 * 1024 * 1024), "late");
        await Eventually.HoldsAsync(async () => await _follower.StateOfAsync(late) == "wanted", "the other waits");

        var first = await SendAsync(HttpMethod.Put, $"/v1/files/{late}/priority", new { priority = 10 });

        (first.GetProperty("files").GetInt64(), first.GetProperty("downloads").GetInt32()).ShouldBe((1, 1));
        await Eventually.HoldsAsync(
            async () => await _follower.StateOfAsync(late) == "downloading",
            "the later one has the lane"
        );
        (await _follower.StateOfAsync(early)).ShouldBe("wanted");
        (await ProvenAsync(early)).ShouldBeGreaterThan(0);

        using (var wanted = await _follower.Http.PostAsync($"/v1/files/{late}/cancel", null))
        {
            await wanted.ShouldBeProblemAsync(409, "not-cancellable", "policy");
        }

        await SendAsync(
            HttpMethod.Put,
            "/v1/buckets/0x02/policy?wait=60",
            new { kind = "nothing-except", filters = Array.Empty<string>() }
        );
        await SendAsync(HttpMethod.Post, $"/v1/files/{early}/fetch", new { });
        await Eventually.HoldsAsync(async () => await _follower.StateOfAsync(early) == "downloading", "somebody asks for it");
        await SendAsync(HttpMethod.Post, $"/v1/files/{early}/cancel", new { });
        await Eventually.HoldsAsync(async () => await _follower.StateOfAsync(early) == "absent", "it is given up");
        (await _follower.GetJsonAsync($"/v1/files/{early}/explain")).GetProperty("intents").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task The_leadership_is_handed_over_and_a_drained_node_exits()
    {
        var handed = await TestedProgram.RunAsync("node", "handover", "--url", $"{_follower.Url}");
        handed.Code.ShouldBe(0, handed.Out);
        handed.Out.ShouldContain("node-b leads in epoch 2");
        (await _leader.GetJsonAsync("/v1/leader")).GetProperty("node").GetString().ShouldBe("node-b");
        await TestCluster.StoredAsync(_leader, await _follower.PutAsync([1, 2, 3], "by the new leader"));

        (await TestedProgram.RunAsync("node", "drain", "--url", $"{_leader.Url}")).Code.ShouldBe(2);
        using (var drained = await _leader.Http.PostAsync("/v1/drain", null))
        {
            drained.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        }

        await _leader.WaitForExitAsync();
        _leader.ExitCode.ShouldBe(0);
        await Eventually.HoldsAsync(
            async () =>
                (await _follower.GetJsonAsync("/v1/nodes")).GetProperty("nodes")[0].GetProperty("alive").GetBoolean() == false,
            "node-a is not heard of"
        );
        using var alone = await _follower.Http.PostAsync("/v1/leader/handover", null);
        await alone.ShouldBeProblemAsync(409, "no-successor", "node-b");
    }

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
        using var answer = await _follower.Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue(text);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task<string> PutAsync(string bucket)
    {
        using var content = new ByteArrayContent(PlainFile.RandomBytes(1000));
        using var answer = await _leader.Http.PostAsync(
            $"/v1/files?owner=0x01&bucket={bucket}&location={Guid.NewGuid()}",
            content
        );
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!;
    }

    private async Task<JsonElement[]> PausesAsync() =>
        [.. (await _follower.GetJsonAsync("/v1/downloads/pauses")).GetProperty("pauses").EnumerateArray()];

    private async Task<long> ProvenAsync(string key) =>
        (await _follower.GetJsonAsync($"/v1/files/{key}/explain")).GetProperty("bytesProven").GetInt64();

    private async Task<string[]> SaysAsync(string key) =>
        [
            .. (await _follower.GetJsonAsync($"/v1/files/{key}/explain"))
                .GetProperty("says")
                .EnumerateArray()
                .Select(one => one.GetString()!),
        ];
}
