using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using static FileTransfer.IntegrationTests.Testbed.Nodes.GuardedNodes;

namespace FileTransfer.IntegrationTests.Cluster.Trust;

/// <summary>Who signs what it asks is let in where its key is trusted, and as long as it is.</summary>
public sealed class TrustTests
{
    [Thorough]
    [Fact]
    public async Task A_signature_of_a_trusted_key_lets_in_a_node_of_another_cluster_and_nothing_else_does()
    {
        using var peer = new SigningPeer("paris", "b");
        using var stranger = new SigningPeer("paris", "b");
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync(
            "a",
            ("FileTransfer__Trust__0__NodeId", "b"),
            ("FileTransfer__Trust__0__Cluster", "paris"),
            ("FileTransfer__Trust__0__PublicKey", peer.PublicKey)
        );
        var content = RandomNumberGenerator.GetBytes(5000);
        var key = await node.PutAsync(content, "of a");
        await LetInAsync(node, peer);

        using (var answer = await peer.SendAsync(node, $"/v1/files/{key}/content"))
        {
            (await answer.Content.ReadAsByteArrayAsync()).ShouldBe(content);
        }

        var wanted = Encoding.UTF8.GetBytes($$"""{"want":["{{key}}"]}""");
        (await StatusAsync(peer.SendAsync(node, "/v1/sync/deliveries", wanted))).ShouldBe(HttpStatusCode.OK);

        // Where everybody is let in, one whose signature is wrong is not.
        await RefusedAsync(stranger.SendAsync(node, "/v1/files"), "no key of 'paris/b' has signed this request");
        await RefusedAsync(peer.SendAsync(node, "/v1/files", cluster: "berlin"), "it is for 'berlin/a', and this is 'default/a'");
        await RefusedAsync(peer.SendAsync(node, "/v1/files", clock: TimeSpan.FromHours(1)), "s ahead of that of this node");
        using (var unknown = new SigningPeer("rome", "b"))
        {
            await RefusedAsync(unknown.SendAsync(node, "/v1/files"), "The key of 'rome/b' is not trusted here");
        }

        using (var first = peer.Sign(node, "/v1/files"))
        using (var again = new HttpRequestMessage(HttpMethod.Get, first.RequestUri))
        using (var tampered = new HttpRequestMessage(HttpMethod.Get, new Uri(node.Url, "/v1/files?limit=1")))
        {
            foreach (var (name, values) in first.Headers)
            {
                again.Headers.Add(name, values);
                tampered.Headers.Add(name, values);
            }

            await RefusedAsync(node.Http.SendAsync(tampered), "has signed this request");
            (await StatusAsync(node.Http.SendAsync(first))).ShouldBe(HttpStatusCode.OK);
            await RefusedAsync(node.Http.SendAsync(again), "it was sent before");
        }

        (await StatusAsync(peer.SendAsync(node, $"/v1/files/{key}", method: HttpMethod.Delete))).ShouldBe(
            HttpStatusCode.Forbidden
        );
        (await StatusAsync(peer.SendAsync(node, "/v1/trust/b", """{"publicKey":"x"}"""u8.ToArray(), HttpMethod.Put))).ShouldBe(
            HttpStatusCode.Forbidden
        );
        await Eventually.HoldsAsync(
            async () =>
                (await node.Http.GetStringAsync("/v1/audit")).Contains("\"who\":\"peer paris/b\"", StringComparison.Ordinal),
            "what it was refused is in the audit log"
        );

        // Listed by the settings: what ends it is kept, and what lists it again ends that.
        (await StatusAsync(node.Http.DeleteAsync("/v1/trust/b?cluster=paris"))).ShouldBe(HttpStatusCode.NoContent);
        await RefusedAsync(peer.SendAsync(node, "/v1/files"), "The trust in 'paris/b' was revoked");
        (await StateOfAsync(node, "b", "settings")).ShouldBe("revoked");
        using (var put = await node.Http.PutAsJsonAsync("/v1/trust/b", new { publicKey = stranger.PublicKey, cluster = "paris" }))
        {
            put.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        (await StatusAsync(stranger.SendAsync(node, "/v1/files"))).ShouldBe(HttpStatusCode.OK);
        await RefusedAsync(peer.SendAsync(node, "/v1/files"), "no key of 'paris/b'");
        (await StateOfAsync(node, "b", "settings")).ShouldBe("conflict");
        (await StatusAsync(node.Http.DeleteAsync("/v1/trust/nobody"))).ShouldBe(HttpStatusCode.NotFound);
        using var malformed = await node.Http.PutAsJsonAsync("/v1/trust/b", new { publicKey = "x" });
        await malformed.ShouldBeProblemAsync(400, "bad-request", "identity show");
    }

    private static async Task<string?> StateOfAsync(NodeProcess node, string peer, string origin) =>
        (await node.GetJsonAsync($"/v1/trust/{peer}"))
            .GetProperty("trust")
            .EnumerateArray()
            .Single(one => one.GetProperty("origin").GetString() == origin)
            .GetProperty("state")
            .GetString();
}
