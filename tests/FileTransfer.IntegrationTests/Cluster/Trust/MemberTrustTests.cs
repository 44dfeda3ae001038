using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using static FileTransfer.IntegrationTests.Testbed.Nodes.GuardedNodes;

namespace FileTransfer.IntegrationTests.Cluster.Trust;

/// <summary>Nodes of one database are trusted by their rows, as long as nobody says otherwise.</summary>
public sealed class MemberTrustTests(ITestOutputHelper output)
{
    [Thorough]
    [Fact]
    public async Task What_is_revoked_at_one_node_ends_at_the_others_within_a_second_and_members_are_trusted_by_their_rows()
    {
        using var peer = new SigningPeer("paris", "b");
        await using var cluster = await TestCluster.CreateAsync();
        var first = await cluster.StartAsync("a", Guarded);
        var strict = await cluster.StartFollowerAsync("c", Guarded);
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
        strict = await cluster.StartFollowerAsync("c", [.. Guarded, ("FileTransfer__TrustMode", "Strict")]);
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
            var anew = await cluster.StartAsync("c", Guarded);
            using var another = SigningPeer.Of(anew);
            await LetInAsync(first, another);
            await RefusedAsync(rotated.SendAsync(first, "/v1/files"), "no key of 'default/c' has signed");
        }
    }

    [Thorough]
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

    [Thorough]
    [Fact]
    public async Task A_key_that_was_rotated_counts_at_once_at_a_strict_node_that_lists_the_one_before()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var listed = PublicKeyIn(await IdentityAsync("show", cluster.FolderOf("c")));
        var strict = await cluster.StartAsync(
            "a",
            [
                .. Guarded,
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

    /// <summary>So it finds out whether its database was superseded, also where nodes have no token.</summary>
    [Thorough]
    [Fact]
    public async Task A_leader_without_a_token_signs_when_it_asks_members_which_catalog_they_work_on()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartAsync("a", Guarded);
        await leader.SaysAsync("leads in epoch");
        await using var member = await StartMemberOfLaterCatalogAsync();
        await new ForgedNode("b") { Url = member.Urls.Single() }.AddAsync(cluster.Database);
        await leader.SaysAsync("is superseded by that of node b");
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

    /// <summary>Tells who signs of the catalog that he works on, where one more leader took office since.</summary>
    private static async Task<WebApplication> StartMemberOfLaterCatalogAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet(
            "/v1/leader",
            (HttpContext context) =>
            {
                if (!context.Request.Headers.ContainsKey("FileTransfer-Signature"))
                {
                    return Results.Unauthorized();
                }

                var asking = context.Request.Headers["FileTransfer-Catalog"].ToString().Split(' ');
                var epoch = long.Parse(asking[3], CultureInfo.InvariantCulture) + 1;
                context.Response.Headers["FileTransfer-Catalog"] = string.Join(' ', [.. asking[..3], $"{epoch}", "b", asking[5]]);
                return Results.Ok();
            }
        );
        await app.StartAsync();
        return app;
    }
}
