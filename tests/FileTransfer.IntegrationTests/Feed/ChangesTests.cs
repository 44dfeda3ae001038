using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed;

/// <summary>Programs keep up with the cluster from a position that lasts, or are told.</summary>
public sealed class ChangesTests
{
    [Thorough]
    [Fact]
    public async Task Changes_come_in_order_behind_a_position_and_a_webhook_is_told_them_signed_until_it_takes_them()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var cluster = await TestCluster.CreateAsync();
        var settings = receiver.Settings();
        var node = await cluster.StartLeaderAsync("node-a", settings);
        await Eventually.HoldsAsync(
            async () => await cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.webhooks") == 1,
            "the webhook has its position"
        );
        var begin = (await node.GetJsonAsync("/v1/changes?after=now")).GetProperty("position").GetString();
        var waiting = node.GetJsonAsync($"/v1/changes?after={begin}&wait=60");

        var key = await node.PutAsync([1, 2, 3], "changes");

        var first = await waiting;
        Kinds(first).ShouldBe([$"stored {key} changes 3"]);
        (await node.Http.DeleteAsync($"/v1/files/{key}")).IsSuccessStatusCode.ShouldBeTrue();
        await node.PutAsync([1, 2, 3], "changes");
        Kinds(await node.GetJsonAsync($"/v1/changes?after={begin}"))
            .ShouldBe([$"stored {key} changes 3", $"removed {key} changes 3", $"stored {key} changes 3"]);
        Kinds(await node.GetJsonAsync($"/v1/changes?after={first.GetProperty("position").GetString()}")).Length.ShouldBe(2);
        var printed = await TestedProgram.RunAsync("changes", "--after", begin!, "--url", $"{node.Url}");
        printed.Code.ShouldBe(0);
        printed.Out.ShouldContain($"\tremoved\t{key}\t3\t0x02\tchanges");
        using (var old = await node.Http.GetAsync($"/v1/changes?after={Guid.NewGuid():N}-0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"))
        {
            await old.ShouldBeProblemAsync(410, "feed-compacted");
        }

        // Another run of the leader goes on where the last one was refused.
        await node.StopAsync();
        receiver.Takes = true;
        await cluster.StartLeaderAsync("node-a", settings);
        await Eventually.HoldsAsync(() => Task.FromResult(Told().Count() == 3), "the webhook has been told all of it");
        Told().ShouldBe([$"stored {key} changes 3", $"removed {key} changes 3", $"stored {key} changes 3"]);

        IEnumerable<string> Told() => receiver.Told.SelectMany(Kinds);
    }

    private static string[] Kinds(JsonElement page) =>
        [
            .. page.GetProperty("changes")
                .EnumerateArray()
                .Select(one =>
                    $"{one.GetProperty("kind")} {one.GetProperty("key")} {one.GetProperty("location")} {one.GetProperty("size")}"
                ),
        ];
}
