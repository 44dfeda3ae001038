using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Cluster.Trust;

/// <summary>Who signs what it asks is let in where its key is trusted, and as long as it is.</summary>
public sealed class TrustTests(ITestOutputHelper output)
{
    private static readonly (string, string)[] _guarded =
    [
        ("FileTransfer__Tokens__0__Name", "root"),
        ("FileTransfer__Tokens__0__Sha256", Convert.ToHexStringLower(SHA256.HashData("root-token"u8))),
        ("FileTransfer__Tokens__0__Scopes__0", "admin"),
    ];

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

    [Fact]
    public async Task What_is_revoked_at_one_node_ends_at_the_others_within_a_second_and_members_are_trusted_by_their_rows()
    {
        using var peer = new SigningPeer("paris", "b");
        await using var cluster = await TestCluster.CreateAsync();
        var first = await cluster.StartAsync("a", _guarded);
        var strict = await cluster.StartFollowerAsync("c", _guarded);
        // A member that has no token signs what it asks for, and the one that holds the file knows its key.
        first.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "root-token");
        strict.Http.DefaultRequestHeaders.Authorization = first.Http.DefaultRequestHeaders.Authorization;
        await Eventually.HoldsAsync(
            async () => (await first.Http.GetAsync("/health/leader")).IsSuccessStatusCode,
            "the first one leads"
        );
        await TestCluster.StoredAsync(strict, await first.PutAsync(RandomNumberGenerator.GetBytes(6_000_000), "large"));
        await TestCluster.StoredAsync(strict, await first.PutAsync(RandomNumberGenerator.GetBytes(1000), "small"));
        first.Http.DefaultRequestHeaders.Authorization = null;
        (await strict.StopAsync()).ShouldBe(0);
        strict = await cluster.StartFollowerAsync("c", [.. _guarded, ("FileTransfer__TrustMode", "Strict")]);
        (await AsRootAsync(first, HttpMethod.Put, "/v1/trust/b", new { publicKey = peer.PublicKey })).ShouldBe(HttpStatusCode.OK);
        await LetInAsync(strict, peer);

        using (var events = await peer.SendAsync(strict, "/v1/events"))
        {
            events.StatusCode.ShouldBe(HttpStatusCode.OK);
            await using var stream = await events.Content.ReadAsStreamAsync();
            var since = Stopwatch.GetTimestamp();
            (await AsRootAsync(first, HttpMethod.Delete, "/v1/trust/b")).ShouldBe(HttpStatusCode.NoContent);
            await Should.ThrowAsync<IOException>(() => stream.CopyToAsync(Stream.Null).WaitAsync(TimeSpan.FromSeconds(60)));
            var took = Stopwatch.GetElapsedTime(since);
            output.WriteLine($"ended {took.TotalMilliseconds:0} ms after the revocation was sent");
            took.ShouldBeLessThan(TimeSpan.FromSeconds(1));
        }

        await RefusedAsync(peer.SendAsync(strict, "/v1/files"), "The key of 'paris/b' is not trusted here");
        using (var member = SigningPeer.Of(strict))
        using (var other = SigningPeer.Of(first))
        {
            await LetInAsync(first, member);
            await RefusedAsync(other.SendAsync(strict, "/v1/files"), "The key of 'default/a' is not trusted here");
            (await KeysOfAsync(first, "c")).ShouldBe([member.PublicKey]);
        }

        // A key that is rotated under its node counts beside the former one; one of a new folder alone.
        var (code, printed) = await TestedProgram.RunAsync(
            "identity",
            "rotate",
            "--json",
            "--data-directory",
            strict.DataDirectory
        );
        code.ShouldBe(0, printed);
        var line = JsonDocument.Parse(printed).RootElement;
        line.GetProperty("node").GetString().ShouldBe("c");
        await Eventually.HoldsAsync(
            async () => await KeysOfAsync(first, "c") is [var newest, _] && newest == line.GetProperty("publicKey").GetString(),
            "its row has the new key"
        );
        using (var rotated = SigningPeer.Of(strict))
        {
            await LetInAsync(first, rotated);
            (await strict.StopAsync()).ShouldBe(0);
            File.Delete(Path.Combine(strict.DataDirectory, "node.key"));
            var anew = await cluster.StartAsync("c", _guarded);
            using var another = SigningPeer.Of(anew);
            await LetInAsync(first, another);
            await RefusedAsync(rotated.SendAsync(first, "/v1/files"), "no key of 'default/c' has signed");
        }
    }

    [Fact]
    public async Task A_node_of_the_same_database_whose_trust_is_revoked_is_asked_for_nothing_and_its_downloads_move()
    {
        await using var cluster = await TestCluster.CreateAsync();
        await using var wire = new ForwardingProxy();
        var leader = await cluster.StartLeaderAsync(
            "a",
            ("FileTransfer__AdvertisedUrl", wire.Url),
            ("FileTransfer__Limits__Upload", "1MiB/s")
        );
        wire.Target = leader.Url;
        var asked = 0;
        wire.Refuses = request =>
        {
            var isForContent =
                request.Contains("/v1/files/", StringComparison.Ordinal)
                || request.Contains("/v1/sync/", StringComparison.Ordinal);
            Interlocked.Add(ref asked, isForContent ? 1 : 0);
            return false;
        };
        var node = await cluster.StartFollowerAsync("b");
        var key = await leader.PutAsync(new byte[24_000_000], "slow");
        await Eventually.HoldsAsync(() => Task.FromResult(wire.BytesSent > 100_000), "chunks come");

        (await StatusAsync(node.Http.DeleteAsync("/v1/trust/a?cluster=default"))).ShouldBe(HttpStatusCode.NoContent);
        await Eventually.HoldsAsync(
            async () => (await node.GetJsonAsync("/v1/sources")).ToString() is var sources && !sources.Contains("\"requests\":1"),
            "nothing is asked of it"
        );
        var before = Volatile.Read(ref asked);
        var later = await leader.PutAsync(new byte[5000], "later");
        await Eventually.HoldsAsync(
            async () =>
                (await node.GetJsonAsync($"/v1/files/{later}/explain")).ToString().Contains("no other node has it stored"),
            "there is nobody to ask for the other file"
        );
        Volatile.Read(ref asked).ShouldBe(before);
        (await node.StateOfAsync(key)).ShouldBe("wanted");

        using (
            var put = await node.Http.PutAsJsonAsync(
                "/v1/trust/a",
                new { publicKey = await KeyOfAsync(leader), cluster = "default" }
            )
        )
        {
            put.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        await TestCluster.StoredAsync(node, later, within: TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task A_key_that_was_rotated_counts_at_once_at_a_strict_node_that_lists_the_one_before()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var listed = PublicKeyIn(await IdentityAsync("show", cluster.FolderOf("c")));
        var strict = await cluster.StartAsync(
            "a",
            [
                .. _guarded,
                ("FileTransfer__TrustMode", "Strict"),
                ("FileTransfer__Trust__0__NodeId", "c"),
                ("FileTransfer__Trust__0__PublicKey", listed),
            ]
        );
        var member = await cluster.StartFollowerAsync("c");
        using (var signed = SigningPeer.Of(member))
        {
            await LetInAsync(strict, signed);
        }

        await IdentityAsync("rotate", member.DataDirectory);
        using var rotated = SigningPeer.Of(member);
        await LetInAsync(strict, rotated);
    }

    [Fact]
    public async Task A_key_that_is_shown_before_the_first_start_is_the_nodes_and_a_damaged_one_ends_the_start()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = cluster.FolderOf("a");
        var (code, printed) = await TestedProgram.RunAsync("identity", "show", "--json", "--data-directory", folder);
        code.ShouldBe(0, printed);
        var shown = JsonDocument.Parse(printed).RootElement;
        shown.GetProperty("node").ValueKind.ShouldBe(JsonValueKind.Null);
        Directory.GetFileSystemEntries(folder).ShouldBe([Path.Combine(folder, "node.key")]);

        var node = await cluster.StartLeaderAsync("a");
        await Eventually.HoldsAsync(
            async () => (await KeysOfAsync(node, "a")).SequenceEqual([shown.GetProperty("publicKey").GetString()]),
            "it has joined with the key that was shown"
        );
        (code, printed) = await TestedProgram.RunAsync("identity", "show", "--data-directory", folder);
        (code, printed.Trim()).ShouldBe((0, $"a\t{shown.GetProperty("publicKey").GetString()}"));

        await node.KillAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "node.key"), "no key");
        await using var damaged = NodeProcess.Launch("a", folder, cluster.ConnectionString);
        await damaged.WaitForExitAsync();
        damaged.ExitCode.ShouldBe(78);
        damaged.Log.ShouldContain("Put it back from a backup");
    }

    private static async Task<JsonElement> IdentityAsync(string command, string folder)
    {
        var (code, printed) = await TestedProgram.RunAsync("identity", command, "--json", "--data-directory", folder);
        code.ShouldBe(0, printed);
        return JsonDocument.Parse(printed).RootElement;
    }

    private static string PublicKeyIn(JsonElement identity) => identity.GetProperty("publicKey").GetString()!;

    private static async Task<string> KeyOfAsync(NodeProcess node) =>
        PublicKeyIn(await IdentityAsync("show", node.DataDirectory));

    private static Task LetInAsync(NodeProcess node, SigningPeer peer) =>
        Eventually.HoldsAsync(
            async () => await StatusAsync(peer.SendAsync(node, "/v1/files")) == HttpStatusCode.OK,
            $"{node.Id} lets it in"
        );

    private static async Task RefusedAsync(Task<HttpResponseMessage> asked, string because)
    {
        using var answer = await asked;
        await answer.ShouldBeProblemAsync(401, "unauthenticated", because);
    }

    private static async Task<HttpStatusCode> StatusAsync(Task<HttpResponseMessage> asked)
    {
        using var answer = await asked;
        return answer.StatusCode;
    }

    private static async Task<string?> StateOfAsync(NodeProcess node, string peer, string origin) =>
        (await node.GetJsonAsync($"/v1/trust/{peer}"))
            .GetProperty("trust")
            .EnumerateArray()
            .Single(one => one.GetProperty("origin").GetString() == origin)
            .GetProperty("state")
            .GetString();

    private static async Task<string?[]> KeysOfAsync(NodeProcess node, string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/nodes");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "root-token");
        using var answer = await node.Http.SendAsync(request);
        return
        [
            .. (await answer.Content.ReadFromJsonAsync<JsonElement>())
                .GetProperty("nodes")
                .EnumerateArray()
                .Where(one => one.GetProperty("node").GetString() == id)
                .SelectMany(one => one.GetProperty("publicKeys").EnumerateArray().Select(key => key.GetString())),
        ];
    }

    private static async Task<HttpStatusCode> AsRootAsync(NodeProcess node, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "root-token");
        request.Content = body is null ? null : JsonContent.Create(body);
        return await StatusAsync(node.Http.SendAsync(request));
    }
}
