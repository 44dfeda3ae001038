using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Postgres;

/// <summary>A server that does not keep what it commits is told of, as long as it is so.</summary>
public sealed class ServerDurabilityTests
{
    [Fact]
    public async Task A_server_without_fsync_degrades_health_until_it_has_it_and_one_without_full_pages_is_warned_of()
    {
        await using var server = await PostgresServer.StartNewAsync();
        await server.ExecuteAsync("ALTER SYSTEM SET full_page_writes = off");
        await server.SetAsync("fsync", "off");
        await using var cluster = TestCluster.OverServer(server.ConnectionString);
        var node = await cluster.StartLeaderAsync("a");

        var without = await DatabaseCheckAsync(node);
        without.Status.ShouldBe("degraded");
        without.Detail.ShouldContain("fsync is off");
        without.Detail.ShouldContain("set fsync = on");
        node.Log.ShouldContain("fsync is off");

        await server.SetAsync("fsync", "on");
        var with = await DatabaseCheckAsync(node);
        with.Status.ShouldBe("healthy");
        with.Detail.ShouldContain("full_page_writes is off");

        await server.SetAsync("full_page_writes", "on");
        (await DatabaseCheckAsync(node)).Detail.ShouldBe("it answers");
    }

    private static async Task<(string Status, string Detail)> DatabaseCheckAsync(NodeProcess node)
    {
        var check = (await node.GetJsonAsync("/health/ready")).GetProperty("checks").GetProperty("database");
        return (check.GetProperty("status").GetString()!, check.GetProperty("detail").GetString()!);
    }
}
