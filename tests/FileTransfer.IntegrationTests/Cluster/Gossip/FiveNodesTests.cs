using System.Diagnostics;
using System.Net;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Cluster.Gossip;

/// <summary>Five nodes that share nothing but one seed's address and each other's keys.</summary>
public sealed class FiveNodesTests
{
    private const int Count = 5;

    [Thorough]
    [Fact]
    public async Task Five_nodes_find_each_other_from_one_seed_fetch_from_each_other_by_keys_alone_and_see_which_one_dies()
    {
        await using var all = await GossipingNodes.CreateAsync(Count);
        var seed = await all.StartAsync(0, all.TrustingAll);
        var others = await Task.WhenAll(
            Enumerable.Range(1, Count - 1).Select(number => all.StartAsync(number, all.TrustingAll, seed.Url))
        );
        NodeProcess[] nodes = [seed, .. others];
        var clock = Stopwatch.StartNew();
        foreach (var (node, here) in nodes.Select((node, i) => (node, i)))
        {
            foreach (var other in Enumerable.Range(0, Count).Where(other => other != here))
            {
                await node.PeerIsAsync(other, "alive", within: Showing.Of(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(5)));
            }
        }

        Showing.Tell("Five nodes know each other after", clock.Elapsed.TotalSeconds, 5, "s");

        // Known to one cluster alone.
        var content = new byte[6_000_000];
        Random.Shared.NextBytes(content);
        var large = await nodes[1].PutAsync(content, "large");
        var small = await nodes[2].PutAsync(content[..3000], "small");
        foreach (var key in new[] { large, small })
        {
            using var asked = await nodes[4].Http.PostAsync($"/v1/files/{key}/fetch", content: null);
            asked.StatusCode.ShouldBeOneOf(HttpStatusCode.Created, HttpStatusCode.OK);
            await TestCluster.StoredAsync(nodes[4], key);
        }

        (await nodes[4].Http.GetByteArrayAsync($"/v1/files/{large}/content")).AsSpan().SequenceEqual(content).ShouldBeTrue();

        // Nobody has this one.
        using var unknown = await nodes[4].Http.PostAsync($"/v1/files/{new string('7', 64)}/fetch", content: null);
        await unknown.ShouldBeProblemAsync(404, "file-unknown", "c1/n");

        await nodes[3].KillAsync();
        clock.Restart();
        foreach (var node in nodes.Where(node => node != nodes[3]))
        {
            await node.PeerIsAsync(3, "dead", within: Showing.Of(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10)));
            (await node.PeerAsync(3))!.Value.GetProperty("alive").ValueKind.ShouldBe(JsonValueKind.False);
        }

        Showing.Tell("A killed node is seen dead by all after", clock.Elapsed.TotalSeconds, 10, "s");
    }
}
