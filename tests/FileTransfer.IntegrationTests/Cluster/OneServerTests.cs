using System.Net;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Npgsql;

namespace FileTransfer.IntegrationTests.Cluster;

/// <summary>Two hosts of one connection string take writes: a standby was promoted while its primary lives.</summary>
public sealed class OneServerTests
{
    [Thorough]
    [Fact]
    public async Task A_node_stays_at_the_server_it_has_joined_while_that_refuses_connections_and_another_takes_writes()
    {
        const string few = "max_connections=40";
        await using var primary = await PostgresServer.StartNewAsync(few);
        await using var standby = await primary.StartStandbyAsync(through: null, few);
        await using var cluster = TestCluster.OverServer(PostgresServer.ConnectionStringTo($"{primary.Host},{standby.Host}"));
        var node = await cluster.StartLeaderAsync("a");
        var key = await node.PutAsync(PlainFile.RandomBytes(5000), "before");
        await standby.PromoteAsync();

        var taken = await TakeAllConnectionsAsync(primary);
        try
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => node.Http.GetAsync($"/v1/files/{key}")));
            answers.ShouldAllBe(answer =>
                answer.StatusCode == HttpStatusCode.OK || answer.StatusCode == HttpStatusCode.ServiceUnavailable
            );
            answers.ShouldContain(
                answer => answer.StatusCode == HttpStatusCode.ServiceUnavailable,
                "a connection that was refused"
            );
            (
                await standby.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'filetransfer'")
            ).ShouldBe(0);
        }
        finally
        {
            await Task.WhenAll(taken.Select(connection => connection.DisposeAsync().AsTask()));
        }

        await Eventually.HoldsAsync(
            async () => (await node.Http.GetAsync($"/v1/files/{key}")).StatusCode == HttpStatusCode.OK,
            "it has connections again"
        );
        await node.PutAsync(PlainFile.RandomBytes(5000), "after");
        (await primary.ScalarAsync<long>("SELECT count(*) FROM filetransfer.files")).ShouldBe(2);
    }

    private static async Task<List<NpgsqlConnection>> TakeAllConnectionsAsync(PostgresServer server)
    {
        var taken = new List<NpgsqlConnection>();
        while (true)
        {
            var connection = new NpgsqlConnection($"{server.ConnectionString};Pooling=false");
            try
            {
                await connection.OpenAsync();
                taken.Add(connection);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.TooManyConnections)
            {
                await connection.DisposeAsync();
                return taken;
            }
        }
    }
}
