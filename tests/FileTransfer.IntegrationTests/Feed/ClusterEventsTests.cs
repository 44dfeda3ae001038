using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed;

/// <summary>What else happens in a cluster is told, too, signed, in its order, from where it was told last.</summary>
public sealed class ClusterEventsTests
{
    [Thorough]
    [Fact]
    public async Task A_webhook_is_told_what_failed_who_is_in_step_and_who_leads_and_the_next_leader_goes_on_there()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Takes = true;
        await using var cluster = await TestCluster.CreateAsync();
        (string, string)[] settings = [.. receiver.Settings("failed", "inStep", "leaderChanged"), .. SourceCluster.Impatient];
        var a = await cluster.StartLeaderAsync("a", settings);
        var b = await cluster.StartAsync("b", settings);
        await b.SaysAsync("Node b joined at");
        await PlaceIsAsync("'%\"Behind\":[]%'");

        // A node is away while a file comes: it is behind.
        await b.StopAsync();
        var came = PlainFile.Random(50_000);
        await a.StoreAsync(came);
        await PlaceIsAsync("'%\"Behind\":[\"b\"]%'");
        b = await cluster.StartAsync("b", settings);
        await TestCluster.StoredAsync(b, came.Key);
        await ToldAsync("inStep b");

        // Nobody takes it while a file is given up, and until another node leads.
        receiver.Takes = false;
        await using var source = await FakeSource.StartAsync(cluster.Database, "source");
        source.SendsOtherHashes = true;
        var file = await source.OfferAsync(TestFile.Of(200_000));
        await file.WantAtAsync(b);
        var refused = receiver.Refused;
        await Eventually.HoldsAsync(() => Task.FromResult(receiver.Refused > refused), "the failure was posted, and refused");
        using (var handed = await a.Http.PostAsync("/v1/leader/handover", null))
        {
            handed.IsSuccessStatusCode.ShouldBeTrue(await handed.Content.ReadAsStringAsync());
        }

        receiver.Takes = true;
        await ToldAsync($"failed b {file.Key}");
        await ToldAsync("leaderChanged b");
        var failed = Events().Single(one => one.GetProperty("kind").GetString() == "failed");
        failed.GetProperty("bucket").GetString().ShouldBe("0x02");
        failed.GetProperty("location").GetString().ShouldBe(file.Location);
        failed.GetProperty("reason").GetString().ShouldNotBeNull().ShouldContain("source");
        receiver.Told.ShouldAllBe(page => page.GetProperty("cluster").GetString() == "default");

        Task PlaceIsAsync(string like) =>
            Eventually.HoldsAsync(
                async () =>
                    await cluster.Database.ScalarAsync<bool>(
                        $"SELECT EXISTS (SELECT FROM filetransfer.webhooks WHERE url LIKE '% events' AND position LIKE {like})"
                    ),
                $"the place kept is like {like}"
            );

        Task ToldAsync(string what) =>
            Eventually.HoldsAsync(
                () =>
                    Task.FromResult(
                        Events()
                            .Any(one =>
                                what
                                == string.Join(
                                    ' ',
                                    ((string[])["kind", "node", "key"])
                                        .Select(name => one.TryGetProperty(name, out var value) ? value.GetString() : null)
                                        .OfType<string>()
                                )
                            )
                    ),
                $"{what} was told"
            );

        IEnumerable<JsonElement> Events() => receiver.Told.SelectMany(page => page.GetProperty("events").EnumerateArray());
    }
}
