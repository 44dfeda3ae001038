using System.Net;
using FileTransfer.IntegrationTests.Cluster;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Feed;

/// <summary>The clock of one cluster, of its node and its database alike, is set while it is in step with another.</summary>
public sealed class SetClockTests
{
    [Thorough]
    [OtherClockFact]
    public Task A_cluster_whose_clock_is_set_an_hour_ahead_and_back_goes_on_shipping_and_pulling() =>
        GoesOnAsync(isOfShipper: true);

    [Thorough]
    [OtherClockFact]
    public Task A_cluster_whose_clock_is_set_an_hour_ahead_and_back_goes_on_being_shipped_to_and_pulled_from() =>
        GoesOnAsync(isOfShipper: false);

    /// <summary>One ships to the other, and pulls what that one has.</summary>
    private static async Task GoesOnAsync(bool isOfShipper)
    {
        await using var clusters = new TwoClusters();
        await using var server = await PostgresServer.StartNewWithClockAsync();
        await using var set = TestCluster.OverServer(server.ConnectionString);
        var steady = await clusters.CreateAsync();
        var (shipping, shippedTo) = isOfShipper ? (set, steady) : (steady, set);
        var down = await TwoClusters.StartIn(
            shippedTo,
            "down",
            [("FileTransfer__Sync__AcceptFrom__0", "up"), .. ClockOf(shippedTo)]
        );
        var up = await TwoClusters.StartIn(
            shipping,
            "up",
            [
                ("FileTransfer__Shipping__WarnAfter", "00:00:00"),
                .. TwoClusters.PullingFrom(("down", down.Url)),
                .. ClockOf(shipping),
            ]
        );
        await up.ShipToAsync("archive", down.Url);
        await up.FollowerIsAsync("archive", "inStep");
        await up.InStepWithAsync("down");
        foreach (var (offset, ahead) in ((string, TimeSpan)[])[("+1h", TimeSpan.FromHours(1)), ("+0", TimeSpan.Zero)])
        {
            // What has changed is on its way as the clock is set.
            down.Signal(19);
            var first = PlainFile.Random(8192);
            await up.StoreAsync(first);
            await server.SetClockAsync(offset);
            var second = PlainFile.Random(5_000_000);
            await up.StoreAsync(second);
            down.Signal(18);
            await ClockIsAsync(isOfShipper ? up : down, ahead);
            var back = PlainFile.Random(20_000);
            await down.StoreAsync(back);

            await TestCluster.StoredAsync(down, first.Key);
            await TestCluster.StoredAsync(down, second.Key);
            await TestCluster.StoredAsync(up, back.Key);
            (await up.DeleteAsync(first.Key)).ShouldBe(HttpStatusCode.NoContent);
            await down.RemovedAsync(first.Key);
            (await down.DeleteAsync(back.Key)).ShouldBe(HttpStatusCode.NoContent);
            await up.RemovedAsync(back.Key);
            (await up.FollowerIsAsync("archive", "inStep")).GetProperty("lagSeconds").GetDouble().ShouldBeLessThan(60);
            await up.InStepWithAsync("down");
            await up.CheckSaysAsync("followers", "healthy");
            await up.CheckSaysAsync("upstreams", "healthy");
        }

        up.Log.ShouldNotContain("is told all files");
        foreach (var node in (NodeProcess[])[up, down])
        {
            node.Log.ShouldNotContain(" ERR ", Case.Sensitive);
        }

        (string, string)[] ClockOf(TestCluster cluster) => cluster == set ? server.Clock : [];
    }

    private static Task ClockIsAsync(NodeProcess node, TimeSpan ahead) =>
        Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await node.Http.GetAsync("/health/live");
                return (answer.Headers.Date!.Value - DateTimeOffset.UtcNow - ahead).Duration() < TimeSpan.FromMinutes(5);
            },
            $"the clock of {node.Url} is {ahead} ahead"
        );
}
