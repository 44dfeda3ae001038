using System.Net;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Npgsql;

namespace FileTransfer.IntegrationTests.Cluster;

/// <summary>A server that is told to have a synchronous standby and has none: what it commits may be lost by a failover, so nothing of it is acknowledged.</summary>
public sealed class UnconfirmedCommitTests : IAsyncLifetime
{
    private PrivatePostgres _server = null!;
    private TestCluster _cluster = null!;
    private NodeProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await PrivatePostgres.StartAsync();
        _cluster = TestCluster.Over(_server);
        _cluster.ConnectionString = new NpgsqlConnectionStringBuilder(_server.ConnectionString)
        {
            CommandTimeout = 1,
        }.ConnectionString;
        _node = await _cluster.StartLeaderAsync("a");
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Thorough]
    [Fact]
    public async Task An_upload_a_registration_and_a_removal_are_acknowledged_when_a_standby_has_them_and_not_before()
    {
        var (stored, uploaded, registered) = (PlainFile.Random(1000), PlainFile.Random(2000), PlainFile.Random(3000));
        var raw = PlainFile.Random(4000).Content;
        await _node.StoreAsync(stored);
        await _node.RegisterAsync(uploaded);
        Holds(stored).ShouldBeTrue();

        await StandbyAsync("a_standby_that_is_away");
        await Task.WhenAll(
            UnconfirmedAsync(() => _node.RegisterAsync(registered.Key, registered.Metadata())),
            UnconfirmedAsync(() => _node.UploadAsync(uploaded.Key, uploaded.Framed)),
            UnconfirmedAsync(() => PostAsync(raw)),
            UnconfirmedAsync(() => _node.Http.DeleteAsync($"/v1/files/{stored.Key}"))
        );

        // The same again finds out that it still is not so, although the catalog has it all by now.
        await Task.WhenAll(
            UnconfirmedAsync(() => _node.RegisterAsync(registered.Key, registered.Metadata())),
            UnconfirmedAsync(() => _node.UploadAsync(uploaded.Key, uploaded.Framed)),
            UnconfirmedAsync(() => PostAsync(raw)),
            UnconfirmedAsync(() => _node.Http.DeleteAsync($"/v1/files/{stored.Key}"))
        );
        (await DatabaseHealthAsync()).ShouldContain("no synchronous standby has confirmed");
        Holds(stored).ShouldBeTrue("a failover may bring the removed file back");

        await StandbyAsync("");
        await AnsweredAsync(() => _node.RegisterAsync(registered.Key, registered.Metadata()), HttpStatusCode.OK);
        await AnsweredAsync(() => _node.UploadAsync(uploaded.Key, uploaded.Framed), HttpStatusCode.OK);
        await AnsweredAsync(() => PostAsync(raw), HttpStatusCode.OK);
        await AnsweredAsync(() => _node.Http.DeleteAsync($"/v1/files/{stored.Key}"), HttpStatusCode.NoContent);
        await uploaded.ShouldBeStoredAsync(_node);
        await Eventually.HoldsAsync(async () => await DatabaseHealthAsync() == "it answers", "health is well again");
    }

    private bool Holds(PlainFile file) => StoredOnDisk.Holds(_node.DataDirectory, file.Fingerprint[2..]);

    private async Task StandbyAsync(string name)
    {
        await _server.ExecuteAsync($"ALTER SYSTEM SET synchronous_standby_names = '{name}'");
        await _server.ExecuteAsync("SELECT pg_reload_conf()");
        await Eventually.HoldsAsync(
            async () => await _server.ScalarAsync<string>("SHOW synchronous_standby_names") == name,
            $"the server waits for '{name}'"
        );
    }

    private async Task<HttpResponseMessage> PostAsync(byte[] content)
    {
        using var body = new ByteArrayContent(content);
        return await _node.Http.PostAsync("/v1/files?owner=0x01&bucket=0x02&location=raw", body);
    }

    private static async Task UnconfirmedAsync(Func<Task<HttpResponseMessage>> send)
    {
        using var response = await send();
        await response.ShouldBeProblemAsync(503, "commit-unconfirmed", "standby", "again");
        response.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(5));
    }

    private static async Task AnsweredAsync(Func<Task<HttpResponseMessage>> send, HttpStatusCode expected)
    {
        using var response = await send();
        response.StatusCode.ShouldBe(expected, await response.Content.ReadAsStringAsync());
    }

    private async Task<string> DatabaseHealthAsync() =>
        (await _node.GetJsonAsync("/health/ready"))
            .GetProperty("checks")
            .GetProperty("database")
            .GetProperty("detail")
            .GetString()!;
}
