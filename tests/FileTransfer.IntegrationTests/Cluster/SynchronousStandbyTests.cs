using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;
using Npgsql;

namespace FileTransfer.IntegrationTests.Cluster;

/// <summary>A database with a real synchronous standby: what it costs, and what it is for.</summary>
public sealed class SynchronousStandbyTests(ITestOutputHelper output)
{
    private const int Clients = 8;

    [Thorough]
    [Fact]
    public async Task A_promoted_standby_has_all_that_was_acknowledged_and_its_link_does_not_halve_the_puts()
    {
        var files = Showing.Of(small: 160, full: 1000);
        await using var primary = await PostgresServer.StartNewAsync();
        await using var cluster = TestCluster.OverServer(
            new NpgsqlConnectionStringBuilder(primary.ConnectionString) { CommandTimeout = 2 }.ConnectionString
        );
        var node = await cluster.StartLeaderAsync("a", ("Serilog__MinimumLevel__Default", "Warning"));
        var acknowledged = new ConcurrentBag<string>();
        await PutAllAsync(node, files / 4, acknowledged);
        var alone = await RateAsync(node, files, acknowledged);

        await using var link = new DelayingWire(primary.Host, TimeSpan.FromMilliseconds(5));
        await using var standby = await primary.StartStandbyAsync(link.Folder);
        await primary.SetAsync("synchronous_standby_names", "standby");
        await SynchronousAsync(primary);
        await Showing.UntilItHoldsAsync(async () =>
        {
            var together = await RateAsync(node, files, acknowledged);
            output.WriteLine($"{alone:0} puts a second alone, {together:0} with a standby 5 ms away");
            Showing.Tell("Puts with a synchronous standby 5 ms away, of those without", together / alone, 0.5, "times");
            together.ShouldBeGreaterThan(alone * Showing.Of(small: 0.3, full: 0.5));
        });

        // Away for a while: nothing is acknowledged, and afterwards the same puts succeed.
        await link.CutAsync();
        var before = acknowledged.Count;
        var waiting = PutAllAsync(node, Clients * 2, acknowledged);
        await Eventually.HoldsAsync(
            async () =>
                (await node.Http.GetStringAsync("/health/ready")).Contains("no synchronous standby", StringComparison.Ordinal),
            "health says that no standby confirms"
        );
        await Task.WhenAny(waiting, Task.Delay(Showing.Of(TimeSpan.Zero, TimeSpan.FromMinutes(1))));
        acknowledged.Count.ShouldBe(before);
        link.Restore();
        await waiting;

        // The primary is gone in the middle of it.
        using var stop = new CancellationTokenSource();
        var going = PutAllAsync(node, files, acknowledged, stop.Token);
        var some = acknowledged.Count + (files / 4);
        await Eventually.HoldsAsync(() => Task.FromResult(acknowledged.Count > some), "puts are under way");
        await primary.KillAsync();
        await stop.CancelAsync();
        await going;
        await standby.PromoteAsync();
        foreach (var key in acknowledged)
        {
            (
                await standby.ScalarAsync<string>($"SELECT state FROM filetransfer.files WHERE file_key = '\\x{key[2..]}'")
            ).ShouldBe("added", key);
        }
    }

    private static Task SynchronousAsync(PostgresServer primary) =>
        Eventually.HoldsAsync(
            async () =>
                await primary.ScalarAsync<long>("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1,
            "the standby is synchronous"
        );

    private static async Task<double> RateAsync(NodeProcess node, int files, ConcurrentBag<string> acknowledged)
    {
        var started = Stopwatch.GetTimestamp();
        await PutAllAsync(node, files, acknowledged);
        return files / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Eight clients, each of whom sends what is not acknowledged again.</summary>
    private static Task PutAllAsync(
        NodeProcess node,
        int files,
        ConcurrentBag<string> acknowledged,
        CancellationToken stop = default
    ) =>
        Task.WhenAll(
            Enumerable
                .Range(0, Clients)
                .Select(async _ =>
                {
                    for (var i = 0; i < files / Clients && !stop.IsCancellationRequested; i++)
                    {
                        await PutAsync(node, acknowledged, stop);
                    }
                })
        );

    private static async Task PutAsync(NodeProcess node, ConcurrentBag<string> acknowledged, CancellationToken stop)
    {
        var content = PlainFile.RandomBytes(8192);
        var path = $"/v1/files?owner=0x01&bucket=0x02&location={Guid.NewGuid()}";
        while (!stop.IsCancellationRequested)
        {
            using var body = new ByteArrayContent(content);
            using var response = await node.Http.PostAsync(path, body, CancellationToken.None);
            if (response.IsSuccessStatusCode)
            {
                using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(CancellationToken.None));
                acknowledged.Add(answer.RootElement.GetProperty("key").GetString()!);
                return;
            }

            var status = (int)response.StatusCode;
            status.ShouldBe(503, status == 500 ? await node.FaultAsync() : null);
        }
    }
}
