using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Wants.Intents;

/// <summary>Intents outlive the process, and streams end with it.</summary>
public sealed class IntentRestartTests
{
    private const int Size = 2_000_000;

    [Thorough]
    [Fact]
    public async Task An_intent_survives_a_kill_of_its_node_and_is_served_afterwards()
    {
        await using var cluster = await TestCluster.CreateAsync();
        await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b", SourceCluster.Impatient);
        await using var source = await FakeSource.StartAsync(cluster.Database, "source");
        var file = await source.OfferAsync(TestFile.Of(Size));
        source.BytesPerSecond = Size / 60;
        using var asked = await follower.Http.PostAsync($"/v1/files/{file.Key}/fetch", null);
        var id = (await asked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent > Size / 20), "it downloads");

        await follower.KillAsync();
        source.BytesPerSecond = 0;
        follower = await cluster.StartFollowerAsync("b", SourceCluster.Impatient);

        await TestCluster.StoredAsync(follower, file.Key.ToString());
        await Eventually.HoldsAsync(
            async () =>
                (await follower.GetJsonAsync($"/v1/files/{file.Key}/fetch/{id}")).GetProperty("outcome").GetString() == "stored",
            "the intent ends as stored"
        );
    }

    [Thorough]
    [Fact]
    public async Task A_stream_ends_at_once_when_its_node_stops()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("a", ("FileTransfer__DrainTimeout", "00:10:00"));
        await using var reader = await EventReader.OpenAsync(node, "/v1/events");
        await reader.NextAsync("state");

        var clock = System.Diagnostics.Stopwatch.StartNew();
        (await node.StopAsync()).ShouldBe(0);

        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(10));
        // Far from the time that running requests are given.
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
    }
}
