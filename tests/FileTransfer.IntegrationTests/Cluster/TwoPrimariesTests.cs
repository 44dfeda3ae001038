using System.Net;
using FileTransfer.IntegrationTests.Operations;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Cluster;

/// <summary>A standby was promoted while its primary lives, and a node was started on each: two leaders, until the older side learns of the newer.</summary>
/// <remarks>Runs the recipe "Fail over" of docs/operations.md.</remarks>
public sealed class TwoPrimariesTests
{
    [Thorough]
    [Fact]
    public async Task The_older_side_stops_leading_for_good_and_what_it_acknowledged_alone_comes_back()
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
        var files = new KeptFiles(cluster);
        var (ofBoth, removedThere, removedHere) = (
            await files.PutAsync(older),
            await files.PutAsync(older),
            await files.PutAsync(older)
        );
        await files.AreAllAtAsync(older, other);

        // Where no tokens are set whoever reaches a node may speak for one. What he says makes the leader ask the nodes that its database has,
        // and these know of nothing newer.
        (
            await older.SendAsync(
                HttpMethod.Get,
                "/v1/leader",
                ("FileTransfer-Catalog", $"default {await SystemAsync(primary)} 99 99 b")
            )
        ).Dispose();
        await files.PutAsync(older);
        await other.StopAsync();
        var failOver = Recipe.Named("Fail over");
        var hasPrograms = await PostgresPrograms.HasAsync("psql", "pg_basebackup");
        await (
            hasPrograms
                ? failOver.RunAsync(0, standby.Programs, standby.AsItsUser, ("STANDBY", standby.LibpqTo()))
                : standby.PromoteAsync()
        );

        // Nobody stopped the old primary, and nobody of the new side is there yet.
        var onlyHere = await files.PutAsync(older);
        await files.RemoveAsync(older, removedHere);
        cluster.ConnectionString = PostgresServer.ConnectionStringTo($"{standby.Host},{primary.Host}");
        var newer = await cluster.StartLeaderAsync("b", address);
        wire.LeadTo(newer.Url);

        await older.SaysAsync("superseded");
        using (var refused = await older.Http.GetAsync("/v1/leader"))
        {
            await refused.ShouldBeProblemAsync(503, "no-leader", "superseded", "'b'", "timeline 2");
        }

        await ShouldRefuseWritesAsync(older);
        (await older.Http.GetStringAsync("/health/ready")).ShouldContain("superseded");
        await files.PutAsync(newer);
        await files.RemoveAsync(newer, removedThere);
        await older.StopAsync();

        // A node that has never heard of it asks before it leads.
        cluster.ConnectionString = PostgresServer.ConnectionStringTo(primary.Host);
        var stranger = await cluster.StartAsync("c");
        await stranger.SaysAsync("superseded");
        await ShouldRefuseWritesAsync(stranger);
        stranger.Log.ShouldNotContain("leads in epoch");
        await stranger.KillAsync();

        // One that has heard of it does not start there, also while it can ask nobody.
        wire.LeadTo(new Uri("http://127.0.0.1:9"));
        await using (var again = NodeProcess.Launch("a", cluster.FolderOf("a"), cluster.ConnectionString))
        {
            await again.WaitForExitAsync();
            again.ExitCode.ShouldBe(78, again.Log);
            again.Log.ShouldContain("a catalog that was superseded");
            again.Log.ShouldContain($"the one of node 'b' at {wire.Address}");
        }

        wire.LeadTo(newer.Url);
        await primary.KillAsync();
        cluster.ConnectionString = PostgresServer.ConnectionStringTo($"{primary.Host},{standby.Host}");
        var contents = files.Contents("a", "b");
        var moved = await cluster.StartAsync("a");
        await Eventually.HoldsAsync(async () => await moved.StateOfAsync(ofBoth) == "stored", "a is on the newer one");
        var plan = await failOver.RunAsync(1, standby.Programs, null, ("NODE_A", $"{moved.Url}"), ("NODE_B", $"{newer.Url}"));
        plan.ShouldContain($"restore\t{onlyHere}");
        plan.ShouldContain($"remove\t{removedHere}");
        plan.ShouldNotContain($"restore\t{removedThere}");
        await files.AreAllAtAsync(moved, newer);
        (await moved.GetJsonAsync("/v1/orphans")).GetProperty("heldSince").GetString().ShouldBeNull();
        contents
            .Except(files.Contents("a", "b"))
            .Count()
            .ShouldBeLessThanOrEqualTo(4, "more contents are gone than those of the two removed files at two nodes");

        if (!hasPrograms)
        {
            return; // As where a package brings the server alone.
        }

        await failOver.RunAsync(2, standby.Programs, primary.AsItsUser, ("STANDBY", standby.LibpqTo()), ("PGDATA", primary.Data));
        await primary.StartAsync();
        (await primary.ScalarAsync<bool>("SELECT pg_is_in_recovery()")).ShouldBeTrue();
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
