using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FileTransfer.IntegrationTests.Hosting.Access;

/// <summary>Somebody who has written his address into the database is no node for that.</summary>
public sealed class HostileNodeTests
{
    private const string Provider = "http://169.254.169.254";

    [Thorough]
    [Fact]
    public async Task A_node_shows_its_token_to_who_proves_to_know_it_at_this_address_and_to_no_other()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartAsync(
            "a",
            [.. Token(0, "owner", "admin"), .. Token(1, "of-b", "node"), ("FileTransfer__Tokens__1__Node", "b")]
        );
        leader.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "owner");
        var asked = new ConcurrentQueue<(string Path, string? Token)>();
        await using var hostile = await StartHostileAsync(leader, asked);
        await Eventually.HoldsAsync(
            async () => (await leader.Http.GetAsync("/health/leader")).IsSuccessStatusCode,
            "the leader leads"
        );
        await cluster.Database.ExecuteAsync(
            $"""
            INSERT INTO filetransfer.nodes (node_id, configured_role, url, instance, started_at, seen_at)
            VALUES ('hostile', 'follower', '{hostile.Urls.First()}', gen_random_uuid(), now(), now()),
                   ('provider', 'follower', '{Provider}', gen_random_uuid(), now(), now())
            """
        );
        var key = await leader.PutAsync(RandomNumberGenerator.GetBytes(3_000_000), "wanted");

        var follower = await cluster.StartFollowerAsync("b", ("FileTransfer__NodeToken", "of-b"));
        await TestCluster.StoredAsync(follower, key);
        await Eventually.HoldsAsync(
            async () =>
            {
                using var health = await follower.Http.GetAsync("/v1/health");
                return asked.Any(request => request.Path == "/health/ready");
            },
            "the hostile one was asked how it is"
        );

        await follower.SaysAsync("is not shown this node's token");
        asked.ShouldContain(request => request.Path == "/v1/proof");
        foreach (var doubted in (string[])[hostile.Urls.First(), Provider])
        {
            await Eventually.HoldsAsync(
                async () =>
                    (await leader.GetJsonAsync($"/v1/audit?about={doubted}"))
                        .GetProperty("entries")
                        .EnumerateArray()
                        .Any(entry =>
                            entry.GetProperty("action").GetString() == "doubt"
                            && entry.GetProperty("node").GetString() == "b"
                            && entry.GetProperty("problem").GetString() == "address-not-proven"
                        ),
                $"the audit log has {doubted}"
            );
        }

        asked.ShouldAllBe(request => request.Token == null && request.Path != "/redirected");
    }

    /// <summary>Hands the question of who it is on to a real node, and redirects what else it is asked to itself.</summary>
    private static async Task<WebApplication> StartHostileAsync(NodeProcess real, ConcurrentQueue<(string, string?)> asked)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(async context =>
        {
            var request = context.Request;
            asked.Enqueue((request.Path, request.Headers.Authorization));
            if (request.Path == "/v1/proof")
            {
                using var proof = await real.Http.GetAsync($"{request.Path}{request.QueryString}");
                proof.StatusCode.ShouldBe(HttpStatusCode.NoContent);
                context.Response.Headers["FileTransfer-Proof"] = proof.Headers.GetValues("FileTransfer-Proof").Single();
            }
            else
            {
                context.Response.Redirect("/redirected", permanent: false, preserveMethod: true);
            }
        });
        await app.StartAsync();
        return app;
    }

    private static (string, string)[] Token(int index, string token, string scope) =>
        [
            ($"FileTransfer__Tokens__{index}__Name", token),
            ($"FileTransfer__Tokens__{index}__Sha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)))),
            ($"FileTransfer__Tokens__{index}__Scopes__0", scope),
        ];
}
