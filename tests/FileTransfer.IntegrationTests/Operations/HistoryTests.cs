using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>What a node was like is known afterwards.</summary>
public sealed class HistoryTests
{
    [Thorough]
    [Fact]
    public async Task A_node_writes_its_minutes_down_with_its_heartbeat_and_what_is_too_old_goes()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("node-a");
        await cluster.Database.ExecuteAsync(
            """
            DELETE FROM filetransfer.node_history;
            INSERT INTO filetransfer.nodes SELECT 'node-b', configured_role, url, instance, started_at, seen_at FROM filetransfer.nodes;
            INSERT INTO filetransfer.node_history (node_id, hour, lag[0], lacking[0], disk_free[0], lag[30], lacking[30], disk_free[30]) VALUES
                ('node-b', date_trunc('hour', now()) - interval '2 hours', 7, 5, 100, 3, 50, 90),
                ('node-b', date_trunc('hour', now()) - interval '31 days', 1, 1, 1, 1, 1, 1)
            """
        );
        // The node writes once a minute; this is what its next heartbeat does not wait for.
        await node.StopAsync();
        node = await cluster.StartLeaderAsync("node-a");

        JsonElement[] nodes = [];
        await Eventually.HoldsAsync(
            async () =>
                (nodes = [.. (await node.GetJsonAsync("/v1/history?hours=4")).GetProperty("nodes").EnumerateArray()]).Length == 2,
            "node-a has written its minute"
        );

        Known(nodes[0], "lag").ShouldBe([0]);
        Known(nodes[0], "lacking").ShouldBe([0]);
        Known(nodes[0], "diskFree").Single().ShouldBeGreaterThan(0);
        Known(nodes[1], "lag").ShouldBe([7, 3]);
        Known(nodes[1], "lacking").ShouldBe([5, 50]);
        Known(nodes[1], "diskFree").ShouldBe([100L << 20, 90L << 20]);
        var month = (await node.GetJsonAsync("/v1/history?hours=720")).GetProperty("nodes")[1];
        Known(month, "lacking").Max().ShouldBe(50);
        Known(month, "diskFree").Min().ShouldBe(90L << 20);
        (await cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.node_history")).ShouldBe(2);
    }

    private static long[] Known(JsonElement node, string figure) =>
        [
            .. node.GetProperty(figure)
                .EnumerateArray()
                .Where(one => one.ValueKind == JsonValueKind.Number)
                .Select(one => one.GetInt64()),
        ];
}
