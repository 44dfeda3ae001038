using System.Net;
using System.Net.Http.Headers;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>The page as it is served, with tokens configured: what it shows takes one, the page itself does not.</summary>
public sealed class DashboardFileTests
{
    [Fact]
    public async Task The_page_and_its_files_come_from_the_binary_with_a_tag_and_let_nothing_else_in()
    {
        await using var server = await RunningServer.StartAsync(RunningServer.Tokens(RunningServer.Token("reader", "read")));
        foreach (
            var (path, type) in ((string, string)[])
                [
                    ("/", "text/html"),
                    ("/dashboard/app.js", "text/javascript"),
                    ("/dashboard/style.css", "text/css"),
                    ("/dashboard/icon.svg", "image/svg+xml"),
                ]
        )
        {
            using var answer = await server.Client.GetAsync(path);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            answer.Content.Headers.ContentType!.MediaType.ShouldBe(type);
            var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            policy.ShouldContain("default-src 'none'");
            policy.ShouldNotContain("unsafe");
            answer.Headers.GetValues("X-Content-Type-Options").Single().ShouldBe("nosniff");

            using var again = new HttpRequestMessage(HttpMethod.Get, path);
            again.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Parse(answer.Headers.ETag!.ToString()));
            using var same = await server.Client.SendAsync(again);
            same.StatusCode.ShouldBe(HttpStatusCode.NotModified, path);
        }

        using var head = await server.SendAsync(HttpMethod.Head, "/");
        head.StatusCode.ShouldBe(HttpStatusCode.OK);
        head.Content.Headers.ContentLength!.Value.ShouldBeGreaterThan(0);
        using var unknown = await server.SendAsync(HttpMethod.Get, "/dashboard/nothing.js", "reader");
        await unknown.ShouldBeProblemAsync(404, "route-unknown");
    }

    [Fact]
    public void What_a_node_or_a_file_is_called_is_never_read_as_markup()
    {
        string[] readers =
        [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "setAttribute('style'",
            "http://",
            "https://",
        ];
        foreach (var (name, text) in DashboardScripts.All)
        {
            readers.ShouldAllBe(reader => !text.Contains(reader, StringComparison.Ordinal), name);
            text.Split('\n').Length.ShouldBeLessThan(250, name);
        }
    }
}
