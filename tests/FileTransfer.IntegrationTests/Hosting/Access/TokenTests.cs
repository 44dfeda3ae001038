using System.Net;
using FileTransfer.Contracts;
using FileTransfer.Http;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Hosting.Access;

public sealed class TokenTests(TokenTests.Guarded guarded) : IClassFixture<TokenTests.Guarded>
{
    /// <summary>A node with a token for each scope, a route for each, and one that names none.</summary>
    public sealed class Guarded : SharedServer
    {
        internal override Task<RunningServer> StartAsync() =>
            RunningServer.StartAsync(
                AllKinds,
                app =>
                {
                    MapOneRoutePerScope(app);
                    app.MapGet("/forgotten", () => "text");
                }
            );
    }

    private static readonly string[] Scopes = ["read", "write", "node", "admin"];

    private static readonly string AllKinds = RunningServer.Tokens([
        .. Scopes.Select(scope => RunningServer.Token(scope + "-token", scope)),
    ]);

    [Theory]
    [InlineData("read", "read")]
    [InlineData("write", "read write")]
    [InlineData("node", "read node")]
    [InlineData("admin", "read write node admin")]
    public async Task A_token_opens_the_routes_of_its_scope_and_of_those_it_implies(string scope, string open)
    {
        foreach (var needed in Scopes)
        {
            using var answer = await guarded.Server.SendAsync(HttpMethod.Get, "/needs/" + needed, scope + "-token");
            if (open.Split(' ').Contains(needed))
            {
                answer.StatusCode.ShouldBe(HttpStatusCode.OK, needed);
                continue;
            }

            answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden, needed);
            var problem = await answer.ReadProblemAsync("forbidden");
            problem.GetProperty("scope").GetString().ShouldBe(needed);
            problem.GetProperty("detail").GetString()!.ShouldContain($"'{needed}'");
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer wrong")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Basic cmVhZDpyZWFk")]
    public async Task Without_a_valid_token_the_answer_is_401_and_says_what_to_send(string? header)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/needs/read");
        request.Headers.TryAddWithoutValidation("Authorization", header);
        using var answer = await guarded.Server.Client.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        answer.Headers.WwwAuthenticate.Single().Scheme.ShouldBe("Bearer");
        (await answer.ReadProblemAsync("unauthenticated"))
            .GetProperty("detail")
            .GetString()!
            .ShouldContain("Authorization: Bearer");
    }

    [Theory]
    [InlineData("/v1/sync/deliveries")]
    [InlineData("/v1/files/0x0000000000000000000000000000000000000000000000000000000000000000/damage")]
    public async Task What_nodes_alone_need_of_each_other_is_closed_to_readers_and_writers(string path)
    {
        foreach (var scope in new[] { "read", "write" })
        {
            using var refused = await guarded.Server.SendAsync(HttpMethod.Post, path, scope + "-token");
            refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            (await refused.ReadProblemAsync("forbidden")).GetProperty("scope").GetString().ShouldBe("node");
        }

        using var taken = await guarded.Server.SendAsync(HttpMethod.Post, path, "node-token");
        taken.StatusCode.ShouldNotBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_token_of_a_node_counts_with_the_name_of_that_node_alone_and_is_revoked_alone()
    {
        static string Of(string node) =>
            RunningServer
                .Token($"{node}-token")
                .Replace("\"Scopes\"", $"\"Node\": \"{node}\", \"Scopes\"", StringComparison.Ordinal);
        await using var server = await RunningServer.StartAsync(
            RunningServer.Tokens(Of("a"), Of("b"), RunningServer.Token("any", "node")),
            app => app.MapGet("/reader", (HttpContext context) => NodeHeader.ReaderOf(context)).RequireAuthorization("node")
        );

        (await AskAsync("a-token", "a")).ShouldBe((HttpStatusCode.OK, "a"));
        (await AskAsync("b-token", "b")).ShouldBe((HttpStatusCode.OK, "b"));
        foreach (var other in new[] { null, "b", "A", "made-up" })
        {
            var (status, words) = await AskAsync("a-token", other);
            status.ShouldBe(HttpStatusCode.Unauthorized);
            words.ShouldContain("'FileTransfer-Node: a'");
        }

        (await AskAsync("any", "a")).ShouldBe((HttpStatusCode.OK, "127.0.0.1"), "a name is its token's where tokens have names");
        (await AskAsync("any", "made-up")).ShouldBe((HttpStatusCode.OK, "127.0.0.1"));

        await ReplaceSettingsAsync(server, RunningServer.Tokens(Of("b")));
        await Eventually.HoldsAsync(
            async () => (await AskAsync("a-token", "a")).Status == HttpStatusCode.Unauthorized,
            "the token of a is refused"
        );
        (await AskAsync("b-token", "b")).ShouldBe((HttpStatusCode.OK, "b"));

        async Task<(HttpStatusCode Status, string Body)> AskAsync(string token, string? node)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/reader")
            {
                Headers = { { "Authorization", $"Bearer {token}" } },
            };
            request.Headers.TryAddWithoutValidation("FileTransfer-Node", node);
            using var answer = await server.Client.SendAsync(request);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task A_route_that_names_no_scope_is_closed_without_a_token()
    {
        (await guarded.Server.SendAsync(HttpMethod.Get, "/forgotten")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await guarded.Server.SendAsync(HttpMethod.Get, "/forgotten", "read-token")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/swagger/index.html")]
    [InlineData("/swagger/v1/swagger.json")]
    public async Task Health_and_swagger_are_open_to_everyone(string path)
    {
        (await guarded.Server.SendAsync(HttpMethod.Get, path)).StatusCode.ShouldNotBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task What_ails_a_node_is_told_to_readers_alone_and_swagger_can_be_left_out()
    {
        await using var server = await RunningServer.StartAsync(AllKinds, null, "--FileTransfer:Swagger=false");
        foreach (var (token, isTold) in new[] { (null, false), ("wrong", false), ("read-token", true), ("node-token", true) })
        {
            using var answer = await server.SendAsync(HttpMethod.Get, "/health/ready", token);
            (await answer.Content.ReadAsStringAsync()).Contains("checks", StringComparison.Ordinal).ShouldBe(isTold, token);
        }

        (await server.SendAsync(HttpMethod.Get, "/swagger/v1/swagger.json", "read-token")).StatusCode.ShouldBe(
            HttpStatusCode.NotFound
        );
    }

    [Fact]
    public async Task A_loopback_node_without_tokens_lets_everyone_do_everything()
    {
        await using var server = await RunningServer.StartAsync(null, MapOneRoutePerScope);
        foreach (var scope in Scopes)
        {
            (await server.SendAsync(HttpMethod.Get, "/needs/" + scope)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Thorough]
    [Fact]
    public async Task Tokens_rotate_without_a_restart()
    {
        await using var server = await RunningServer.StartAsync(
            RunningServer.Tokens(RunningServer.Token("old", "read")),
            MapOneRoutePerScope
        );
        (await server.SendAsync(HttpMethod.Get, "/needs/read", "old")).StatusCode.ShouldBe(HttpStatusCode.OK);

        await ReplaceSettingsAsync(
            server,
            RunningServer.Tokens(RunningServer.Token("old", "read"), RunningServer.Token("new", "read"))
        );
        await Eventually.HoldsAsync(
            async () => (await server.SendAsync(HttpMethod.Get, "/needs/read", "new")).IsSuccessStatusCode,
            "the new token is taken"
        );
        (await server.SendAsync(HttpMethod.Get, "/needs/read", "old")).StatusCode.ShouldBe(HttpStatusCode.OK);

        await ReplaceSettingsAsync(server, RunningServer.Tokens(RunningServer.Token("new", "read")));
        await Eventually.HoldsAsync(
            // Who goes on with what is no token is soon told to wait.
            async () =>
                (await server.SendAsync(HttpMethod.Get, "/needs/read", "old")).StatusCode
                    is HttpStatusCode.Unauthorized
                        or HttpStatusCode.TooManyRequests,
            "the old token is refused"
        );
        (await server.SendAsync(HttpMethod.Get, "/needs/read", "new")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static void MapOneRoutePerScope(WebApplication app)
    {
        foreach (var scope in AccessScopes.Scopes)
        {
            app.MapGet("/needs/" + scope, () => "text").RequireAuthorization(scope);
        }
    }

    private static async Task ReplaceSettingsAsync(RunningServer server, string settings)
    {
        await File.WriteAllTextAsync(server.Folder.At("next.json"), settings);
        File.Move(server.Folder.At("next.json"), server.Folder.At("appsettings.json"), overwrite: true);
    }
}
