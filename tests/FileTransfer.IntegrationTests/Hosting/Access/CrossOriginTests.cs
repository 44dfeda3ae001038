using System.Net;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Builder;

namespace FileTransfer.IntegrationTests.Hosting.Access;

public sealed class CrossOriginTests(CrossOriginTests.Unguarded unguarded) : IClassFixture<CrossOriginTests.Unguarded>
{
    /// <summary>A node without tokens, and a route for every method.</summary>
    public sealed class Unguarded : SharedServer
    {
        internal override Task<RunningServer> StartAsync() =>
            RunningServer.StartAsync(null, app => app.Map("/change", () => "done"));
    }

    [Theory]
    [InlineData("POST", "http://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("DELETE", "null", HttpStatusCode.Forbidden)]
    [InlineData("PUT", "http://127.0.0.1:1", HttpStatusCode.Forbidden)]
    [InlineData("GET", "http://evil.example", HttpStatusCode.OK)]
    [InlineData("POST", null, HttpStatusCode.OK)]
    [InlineData("POST", "own", HttpStatusCode.OK)]
    public async Task A_page_of_another_site_changes_nothing_on_a_node_without_tokens(
        string method,
        string? origin,
        HttpStatusCode expected
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/change");
        if (origin is not null)
        {
            var own = unguarded.Server.Address.GetLeftPart(UriPartial.Authority);
            request.Headers.TryAddWithoutValidation("Origin", origin == "own" ? own : origin);
        }

        using var answer = await unguarded.Server.Client.SendAsync(request);
        answer.StatusCode.ShouldBe(expected);
        if (expected == HttpStatusCode.Forbidden)
        {
            await answer.ReadProblemAsync("origin-refused");
        }
    }

    [Theory]
    [InlineData("POST", "cross-site", "no-cors", HttpStatusCode.Forbidden)]
    [InlineData("POST", "same-site", "navigate", HttpStatusCode.Forbidden)]
    [InlineData("GET", "cross-site", "no-cors", HttpStatusCode.Forbidden)]
    [InlineData("GET", "cross-site", "navigate", HttpStatusCode.OK)]
    [InlineData("POST", "same-origin", "cors", HttpStatusCode.OK)]
    [InlineData("GET", "none", "navigate", HttpStatusCode.OK)]
    public async Task A_browser_that_says_that_another_site_asks_is_believed(
        string method,
        string site,
        string mode,
        HttpStatusCode expected
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/change");
        request.Headers.Add("Sec-Fetch-Site", site);
        request.Headers.Add("Sec-Fetch-Mode", mode);
        using var answer = await unguarded.Server.Client.SendAsync(request);
        answer.StatusCode.ShouldBe(expected);
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.GetValues("X-Frame-Options").ShouldBe(["DENY"]);
        answer.Headers.GetValues("Content-Security-Policy").ShouldBe(["default-src 'none'; frame-ancestors 'none'"]);
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.Forbidden)]
    [InlineData("127.0.0.1.evil.example:7070", HttpStatusCode.Forbidden)]
    [InlineData("localhost:7070", HttpStatusCode.OK)]
    [InlineData("[::1]:7070", HttpStatusCode.OK)]
    public async Task A_name_that_was_made_to_point_here_opens_nothing(string host, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/change");
        request.Headers.Host = host;
        (await unguarded.Server.Client.SendAsync(request)).StatusCode.ShouldBe(expected);
    }

    [Fact]
    public async Task With_tokens_the_token_alone_decides()
    {
        await using var server = await RunningServer.StartAsync(
            RunningServer.Tokens(RunningServer.Token("t", "write")),
            app => app.Map("/change", () => "done")
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, "/change");
        request.Headers.Host = "node-a.example";
        request.Headers.TryAddWithoutValidation("Origin", "http://console.example");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer t");
        (await server.Client.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
