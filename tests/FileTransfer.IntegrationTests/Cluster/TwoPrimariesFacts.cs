using System.Net;
using FileTransfer.IntegrationTests.Nodes;
using FileTransfer.IntegrationTests.Postgres;

namespace FileTransfer.IntegrationTests.Cluster;

/// <summary>A standby was promoted while its primary lives, and a node was started on each: two leaders, until the older side learns of the newer.</summary>
public sealed class TwoPrimariesFacts
{
    [Fact]
    public async Task The_node_on_the_older_primary_stops_leading_says_so_and_does_not_lead_again()
    {
        await using var primary = await PostgresServer.StartNewAsync();
        await using var standby = await primary.StartStandbyAsync();
        await using var wire = new RequestWire();
        await using var cluster = TestCluster.OverServer(PostgresServer.ConnectionStringTo($"{primary.Host},{standby.Host}"));
        var older = await cluster.StartLeaderAsync("a");

        // Its address is the same after a restart, as a node's is.
        (string, string) address = ("FileTransfer__AdvertisedUrl", wire.Address.ToString());
        wire.LeadTo(older.Url);
        var other = await cluster.StartAsync("b", address);
        wire.LeadTo(other.Url);
        await TestCluster.StoredAsync(other, await older.PutAsync(PlainFile.RandomBytes(5000), "of both"));

        // Somebody who may not speak for a node says that there is a newer one, and is not believed.
        (
            await older.SendAsync(
                HttpMethod.Get,
                "/v1/leader",
                ("FileTransfer-Catalog", $"default {await SystemAsync(primary)} 99 99 b")
            )
        ).Dispose();
        await older.PutAsync(PlainFile.RandomBytes(5000), "before the failover");

        await standby.PromoteAsync();
        await other.StopAsync();
        cluster.ConnectionString = PostgresServer.ConnectionStringTo($"{standby.Host},{primary.Host}");
        var newer = await cluster.StartLeaderAsync("b", address);
        wire.LeadTo(newer.Url);

        await Eventually.HoldsAsync(
            () => Task.FromResult(older.Log.Contains("superseded", StringComparison.Ordinal)),
            "a says it"
        );
        using (var refused = await older.Http.GetAsync("/v1/leader"))
        {
            await refused.ShouldBeProblemAsync(503, "no-leader", "superseded", "'b'", "timeline 2");
        }

        await ShouldRefuseWritesAsync(older);
        (await older.Http.GetStringAsync("/health/ready")).ShouldContain("superseded");
        await newer.PutAsync(PlainFile.RandomBytes(5000), "after the failover");

        // Started on the older one again, it asks before it leads.
        await older.StopAsync();
        cluster.ConnectionString = PostgresServer.ConnectionStringTo($"{primary.Host},{standby.Host}");
        var again = await cluster.StartAsync("a");
        await Eventually.HoldsAsync(
            () => Task.FromResult(again.Log.Contains("superseded", StringComparison.Ordinal)),
            "a says it again"
        );
        await ShouldRefuseWritesAsync(again);
        again.Log.ShouldNotContain("leads in epoch");
    }

    private static async Task ShouldRefuseWritesAsync(NodeProcess node)
    {
        using var body = new ByteArrayContent(PlainFile.RandomBytes(5000));
        using var response = await node.Http.PostAsync("/v1/files?owner=0x01&bucket=0x02&location=lost", body);
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldContain("superseded");
    }

    private static async Task<string> SystemAsync(PostgresServer server) =>
        (await server.ScalarAsync<string>("SELECT system_identifier::text FROM pg_control_system()"))!;
}
