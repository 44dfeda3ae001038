using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed.Push;

/// <summary>Clusters with databases of their own are shipped to, as real processes over HTTP.</summary>
public sealed class ShippingTests
{
    private const string Token = "of-the-cluster-that-ships";

    [Fact]
    public async Task What_a_leader_adds_and_removes_is_so_at_a_follower_that_never_asks_and_small_contents_come_along()
    {
        await using var clusters = new TwoClusters();
        var up = await TokenedAsync(await clusters.CreateAsync());
        var files = Enumerable.Range(0, 30).Select(i => PlainFile.Random(i == 0 ? 5_000_000 : 3000 + (i * 9000))).ToList();
        foreach (var file in files)
        {
            await up.StoreAsync(file);
        }

        (await up.DeleteAsync(files[29].Key)).ShouldBe(HttpStatusCode.NoContent);
        var down = await clusters.StartAsync(
            "down",
            ("FileTransfer__Sync__AcceptFrom__0", "up"),
            ("FileTransfer__Sync__Shippers__0__Name", "up"),
            ("FileTransfer__Sync__Shippers__0__Url", $"{up.Url}"),
            ("FileTransfer__Sync__Shippers__0__Token", Token)
        );
        await up.ShipToAsync("archive", down.Url);

        foreach (var file in files[..29])
        {
            await TestCluster.StoredAsync(down, file.Key);
            await file.ShouldBeStoredAsync(down);
        }

        await up.FollowerIsAsync("archive", "inStep");
        var live = PlainFile.Random(8192);
        await up.StoreAsync(live);
        await TestCluster.StoredAsync(down, live.Key);
        (await up.DeleteAsync(live.Key)).ShouldBe(HttpStatusCode.NoContent);
        await down.RemovedAsync(live.Key);
        (await down.StateOfAsync(files[29].Key)).ShouldBeOneOf("absent", null);

        // All that fits travelled along.
        foreach (var file in files[1..29].Append(live))
        {
            down.Log.ShouldContain($"Stored {file.Key} at a as it was sent here");
        }

        var shown = await up.FollowerIsAsync("archive", "inStep");
        shown.GetProperty("follower").GetString().ShouldBe("down");
        shown.GetProperty("lagEntries").GetInt64().ShouldBe(0);
        shown.TryGetProperty("token", out _).ShouldBeFalse();

        // What is too large for a shipment is fetched before the leader has gone.
        var last = PlainFile.Random(6_000_000);
        await up.StoreAsync(last);
        await up.StopAsync();
        await last.ShouldBeStoredAsync(down);

        // The leader is away: what it owns is served, and is not removed here.
        await files[1].ShouldBeStoredAsync(down);
        using var refused = await down.Http.DeleteAsync($"/v1/files/{files[1].Key}");
        await refused.ShouldBeProblemAsync(409, "file-owned-upstream", "up", $"{up.Url}");
    }

    /// <summary>A cluster that answers only those who show the token.</summary>
    private static async Task<NodeProcess> TokenedAsync(TestCluster cluster)
    {
        var node = await cluster.StartAsync(
            "a",
            ("FileTransfer__ClusterId", "up"),
            ("FileTransfer__Tokens__0__Name", "all"),
            ("FileTransfer__Tokens__0__Sha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Token)))),
            ("FileTransfer__Tokens__0__Scopes__0", "read"),
            ("FileTransfer__Tokens__0__Scopes__1", "write"),
            ("FileTransfer__Tokens__0__Scopes__2", "node"),
            ("FileTransfer__Tokens__0__Scopes__3", "admin")
        );
        node.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        await Eventually.HoldsAsync(
            async () => (await node.GetJsonAsync("/v1/leader")).GetProperty("node").GetString() == "a",
            "it leads"
        );
        return node;
    }
}
