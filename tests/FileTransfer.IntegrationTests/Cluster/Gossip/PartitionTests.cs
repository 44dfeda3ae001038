using System.Diagnostics;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Cluster.Gossip;

/// <summary>Nodes that are reached over wires which let through whom the test lets through.</summary>
public sealed class PartitionTests
{
    private const int Count = 4;

    [Thorough]
    [Fact]
    public async Task Halves_that_do_not_reach_each_other_see_each_other_dead_and_alive_again_when_they_do()
    {
        await using var all = await GossipingNodes.CreateAsync(Count);
        var wires = Enumerable.Range(0, Count).Select(_ => new ForwardingProxy()).ToArray();
        try
        {
            var nodes = new NodeProcess[Count];
            foreach (var number in Enumerable.Range(0, Count))
            {
                nodes[number] = await all.StartAsync(
                    number,
                    [.. all.TrustingAll, ("FileTransfer__AdvertisedUrl", wires[number].Url)],
                    seed: new Uri(wires[0].Url)
                );
                wires[number].Target = nodes[number].Url;
            }

            await SeeAsync(nodes, (_, _) => "alive");

            foreach (var number in Enumerable.Range(0, Count))
            {
                wires[number].Refuses = asked =>
                    Enumerable
                        .Range(0, Count)
                        .Any(from =>
                            HalfOf(from) != HalfOf(number)
                            && asked.Contains($"FileTransfer-Cluster: c{from}\r\n", StringComparison.OrdinalIgnoreCase)
                        );
            }

            var cut = Stopwatch.StartNew();
            await SeeAsync(nodes, (here, other) => HalfOf(here) == HalfOf(other) ? "alive" : "dead");
            Showing.Tell("Halves that are cut off see each other dead after", cut.Elapsed.TotalSeconds, 15, "s");
            await Eventually.HoldsAsync(
                () => Task.FromResult(cut.Elapsed > Showing.Of(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1))),
                "the time of the partition is over",
                within: TimeSpan.FromMinutes(2)
            );
            await SeeAsync(nodes, (here, other) => HalfOf(here) == HalfOf(other) ? "alive" : "dead");

            Array.ForEach(wires, wire => wire.Refuses = _ => false);
            cut.Restart();
            await SeeAsync(nodes, (_, _) => "alive");
            Showing.Tell("Halves that reach each other again see each other alive after", cut.Elapsed.TotalSeconds, 15, "s");

            // And what one of them has, another one gets.
            var key = await nodes[0].PutAsync(new byte[5000], "after the partition");
            using var asked = await nodes[Count - 1].Http.PostAsync($"/v1/files/{key}/fetch", content: null);
            await TestCluster.StoredAsync(nodes[Count - 1], key);
        }
        finally
        {
            foreach (var wire in wires)
            {
                await wire.DisposeAsync();
            }
        }
    }

    private static int HalfOf(int number) => number / 2;

    private static async Task SeeAsync(NodeProcess[] nodes, Func<int, int, string> status)
    {
        for (var here = 0; here < Count; here++)
        {
            for (var other = 0; other < Count; other++)
            {
                if (other != here)
                {
                    await nodes[here].PeerIsAsync(other, status(here, other), within: TimeSpan.FromSeconds(60));
                }
            }
        }
    }
}
