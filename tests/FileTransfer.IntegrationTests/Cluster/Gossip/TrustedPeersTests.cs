using System.Net;
using System.Net.Http.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Cluster.Gossip;

/// <summary>Who is not trusted may announce what he likes; and whoever is not trusted any more is not asked from one moment to the next.</summary>
public sealed class TrustedPeersTests
{
    private const int Size = 24_000_000;

    [Thorough]
    [Fact]
    public async Task A_node_whose_key_is_not_trusted_is_shown_and_neither_asked_nor_passed_on()
    {
        await using var all = await GossipingNodes.CreateAsync(3);
        var trusting = await all.StartAsync(0, all.Trusting(1));
        var trusted = await all.StartAsync(1, all.TrustingAll, trusting.Url);
        var stranger = await all.StartAsync(2, all.TrustingAll, trusting.Url);
        await trusting.PeerIsAsync(1, "alive");
        await trusting.PeerIsAsync(2, "unknown", trusted: false);
        await stranger.PeerIsAsync(0, "alive");

        var key = await stranger.PutAsync(new byte[5000], "of a stranger");
        using var asked = await trusting.Http.PostAsync($"/v1/files/{key}/fetch", content: null);

        await asked.ShouldBeProblemAsync(404, "file-unknown", "c1/n");
        (await asked.Content.ReadAsStringAsync()).ShouldNotContain("c2/n");
        (await trusted.PeerAsync(2)).ShouldBeNull("nobody passes on who is not trusted");
        (await trusting.PeerAsync(2))!.Value.GetProperty("reason").GetString()!.ShouldContain("not trusted");
    }

    [Fact]
    public async Task A_transfer_from_a_node_ends_when_its_trust_does_and_goes_on_when_it_is_trusted_again()
    {
        await using var all = await GossipingNodes.CreateAsync(2);
        var source = await all.StartAsync(0, [.. all.TrustingAll, ("FileTransfer__Limits__Upload", "1MiB/s")]);
        var node = await all.StartAsync(1, all.TrustingAll, source.Url);
        var key = await source.PutAsync(new byte[Size], "slow");
        await node.PeerIsAsync(0, "alive");
        using var asked = await node.Http.PostAsync($"/v1/files/{key}/fetch", content: null);
        asked.StatusCode.ShouldBe(HttpStatusCode.Created, await asked.Content.ReadAsStringAsync());
        await Eventually.HoldsAsync(async () => await ProvenAsync(node, key) > 0, "chunks come");

        using var revoked = await node.Http.DeleteAsync("/v1/trust/n?cluster=c0");

        revoked.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await node.PeerIsAsync(0, "unknown", trusted: false);
        await Eventually.HoldsAsync(
            async () => (await node.GetJsonAsync("/v1/sources")).ToString() is var sources && !sources.Contains("\"requests\":1"),
            "nothing is asked of it"
        );
        await Eventually.HoldsAsync(async () => await node.StateOfAsync(key) == "wanted", "its lane has given it back");
        var proven = await ProvenAsync(node, key);

        using var again = await node.Http.PutAsJsonAsync("/v1/trust/n", new { cluster = "c0", publicKey = all.Keys[0] });
        again.StatusCode.ShouldBe(HttpStatusCode.OK, await again.Content.ReadAsStringAsync());
        await node.PeerIsAsync(0, "alive");
        await Eventually.HoldsAsync(async () => await ProvenAsync(node, key) > proven, "it goes on where it was");
    }

    [Thorough]
    [Fact]
    public async Task A_node_that_comes_back_elsewhere_is_found_and_one_with_another_key_is_a_conflict()
    {
        await using var all = await GossipingNodes.CreateAsync(2);
        var (place, setting) = TwoClusters.PlaceOfOwn();
        var node = await all.StartAsync(0, all.Trusting(1), seed: place);

        // The seed is down at the start.
        (await node.GetJsonAsync("/v1/peers"))
            .GetProperty("peers")
            .GetArrayLength()
            .ShouldBe(0);
        var peer = await all.StartAsync(1, [.. all.Trusting(0), setting]);
        await node.PeerIsAsync(1, "alive");

        await peer.KillAsync();
        var moved = await all.StartAsync(1, all.Trusting(0), seed: node.Url);
        await Eventually.HoldsAsync(
            async () =>
                await node.PeerAsync(1) is { } known
                && known.GetProperty("alive").GetBoolean()
                && known.GetProperty("url").GetString()!.TrimEnd('/') == moved.Url.ToString().TrimEnd('/'),
            "it is known at its new address"
        );

        await moved.KillAsync();
        File.Delete(Path.Combine(moved.DataDirectory, "node.key"));
        await all.StartAsync(1, all.Trusting(0), seed: node.Url);
        await Eventually.HoldsAsync(
            async () =>
                (await node.GetJsonAsync("/v1/peers"))
                    .GetProperty("peers")
                    .EnumerateArray()
                    .Any(known =>
                        !known.GetProperty("trusted").GetBoolean()
                        && known.GetProperty("reason").GetString()!.Contains("another key", StringComparison.Ordinal)
                    ),
            "the other key is shown, and not believed"
        );
    }

    [Thorough]
    [Fact]
    public async Task A_node_that_was_stopped_for_a_while_is_alive_again_and_holds_nobody_dead()
    {
        await using var all = await GossipingNodes.CreateAsync(3);
        var stopped = await all.StartAsync(0, all.TrustingAll);
        var others = await Task.WhenAll(
            all.StartAsync(1, all.TrustingAll, stopped.Url),
            all.StartAsync(2, all.TrustingAll, stopped.Url)
        );
        await Task.WhenAll(others[0].PeerIsAsync(2, "alive"), others[1].PeerIsAsync(0, "alive"), stopped.PeerIsAsync(1, "alive"));

        stopped.Signal(19);
        await Task.WhenAll(others.Select(other => other.PeerIsAsync(0, "dead")));
        stopped.Signal(18);

        await Task.WhenAll(others.Select(other => other.PeerIsAsync(0, "alive")));
        foreach (var number in new[] { 1, 2 })
        {
            (await stopped.PeerAsync(number))!.Value.GetProperty("status").GetString().ShouldBe("alive");
        }

        stopped.Log.ShouldNotContain("is dead");
    }

    private static async Task<long> ProvenAsync(NodeProcess node, string key) =>
        (await node.GetJsonAsync($"/v1/files/{key}/explain")).GetProperty("bytesProven").GetInt64();
}
