using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>Nothing that is dropped, and no node that goes, leaves fewer copies than are to be kept.</summary>
public sealed class EvacuationTests : IAsyncLifetime
{
    private const string Policy = "/v1/buckets/0x02/policy?wait=60";
    private static readonly object _nothing = new { kind = "nothing-except", filters = Array.Empty<string>() };

    private TestCluster _cluster = null!;
    private NodeProcess[] _nodes = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        var leader = await _cluster.StartLeaderAsync("node-a");
        _nodes = [leader, .. await Task.WhenAll(_cluster.StartFollowerAsync("node-b"), _cluster.StartFollowerAsync("node-c"))];
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Thorough]
    [Fact]
    public async Task A_pruning_leaves_as_many_copies_as_the_bucket_is_to_keep()
    {
        var key = await _nodes[0].PutAsync(PlainFile.RandomBytes(2000), "kept");
        foreach (var node in _nodes)
        {
            await TestCluster.StoredAsync(node, key);
        }

        var health = await SendAsync(_nodes[1], HttpMethod.Put, "/v1/buckets/0x02/copies", new { copies = 3 });
        Figures(health).ShouldBe("3 of 3, 1 files, 3 stored, 0 under, 0 missing");
        (await SendAsync(_nodes[1], HttpMethod.Put, $"{Policy}&prune=true", _nothing)).GetProperty("kept").GetInt64().ShouldBe(1);
        (await _nodes[1].StateOfAsync(key)).ShouldBe("stored");

        (await TestedProgram.RunAsync("copies", "set", "0x02", "--at-least", "2", "--url", $"{_nodes[2].Url}")).Code.ShouldBe(0);
        await SendAsync(_nodes[1], HttpMethod.Put, $"{Policy}&prune=true", _nothing);
        await Eventually.HoldsAsync(async () => await _nodes[1].StateOfAsync(key) == "absent", "it is pruned");
        await SendAsync(_nodes[2], HttpMethod.Put, $"{Policy}&prune=true", _nothing);
        (await _nodes[2].StateOfAsync(key)).ShouldBe("stored");
        Figures(await _nodes[0].GetJsonAsync("/v1/buckets/0x02/health"))
            .ShouldBe("2 of 3, 1 files, 2 stored, 0 under, 0 missing");

        health = await SendAsync(_nodes[0], HttpMethod.Put, "/v1/buckets/0x02/copies", new { copies = 4 });
        Figures(health).ShouldBe("4 of 3, 1 files, 2 stored, 1 under, 0 missing");
        health.GetProperty("first")[0].GetProperty("location").GetString().ShouldBe("kept");
    }

    [Thorough]
    [Fact]
    public async Task What_only_an_emptied_node_has_comes_to_others_which_spare_it_then()
    {
        await SendAsync(_nodes[1], HttpMethod.Put, Policy, _nothing);
        var key = await _nodes[0].PutAsync(PlainFile.RandomBytes(5 * 1024 * 1024), "alone");
        await TestCluster.StoredAsync(_nodes[2], key);
        await SendAsync(_nodes[0], HttpMethod.Put, $"{Policy}&prune=true", _nothing);
        await Eventually.HoldsAsync(async () => await _nodes[0].StateOfAsync(key) == "absent", "node-c alone has it");

        var would = await SendAsync(_nodes[0], HttpMethod.Post, "/v1/nodes/node-c/evacuate?dryRun=true", new { });
        (would.GetProperty("files").GetInt64(), would.GetProperty("wanted").GetInt64()).ShouldBe((1, 1));
        would.GetProperty("since").ValueKind.ShouldBe(JsonValueKind.Null);
        await SendAsync(_nodes[0], HttpMethod.Post, "/v1/nodes/node-c/evacuate", new { });
        await Eventually.HoldsAsync(
            async () => (await _nodes[0].GetJsonAsync("/v1/nodes/node-c/evacuate")).GetProperty("files").GetInt64() == 0,
            "node-c is not needed any more"
        );

        var other = await _nodes[0].StateOfAsync(key) == "stored" ? _nodes[1] : _nodes[0];
        var asked = Asked();
        await SendAsync(other, HttpMethod.Post, $"/v1/files/{key}/fetch", new { });
        await TestCluster.StoredAsync(other, key);
        Asked().ShouldBe(asked);

        (await TestedProgram.RunAsync("node", "evacuate", "node-c", "--cancel", "--url", $"{_nodes[0].Url}")).Code.ShouldBe(0);
        (await _nodes[0].GetJsonAsync("/v1/nodes/node-c/evacuate")).GetProperty("since").ValueKind.ShouldBe(JsonValueKind.Null);
        using var unknown = await _nodes[0].Http.GetAsync("/v1/nodes/node-z/evacuate");
        await unknown.ShouldBeProblemAsync(404, "node-unknown", "node-z");

        int Asked() =>
            _nodes[2].Log.Split('\n').Count(line => line.Contains($"GET /v1/files/{key}/content", StringComparison.Ordinal));
    }

    private static string Figures(JsonElement health) =>
        $"{health.GetProperty("copies")} of {health.GetProperty("nodes")}, {health.GetProperty("files")} files, {health.GetProperty("stored")} stored, "
        + $"{health.GetProperty("underReplicated")} under, {health.GetProperty("missing")} missing";

    private static async Task<JsonElement> SendAsync(NodeProcess node, HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
        using var answer = await node.Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue(text);
        return JsonDocument.Parse(text).RootElement;
    }
}
