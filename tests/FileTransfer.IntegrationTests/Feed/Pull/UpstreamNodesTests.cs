using System.Net;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed.Pull;

public sealed class UpstreamNodesTests
{
    [Fact]
    public async Task Of_the_nodes_that_an_upstream_lists_those_are_asked_that_have_an_address_of_a_node()
    {
        await using var clusters = new TwoClusters();
        await using var fake = await FakeUpstream.StartAsync();
        fake.Nodes = new Dictionary<string, string>
        {
            ["ftp"] = "ftp://127.0.0.1/",
            ["file"] = "file:///etc/passwd",
            ["signed"] = $"{fake.Url}?sig=s3cr3t",
            ["named"] = "http://somebody:s3cr3t@127.0.0.1:1",
            ["right"] = $"{fake.Url}",
        };
        var down = await clusters.StartAsync("down", TwoClusters.PullingFrom(("up", fake.Url)));

        var said = "";
        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await down.Http.PostAsync($"/v1/files/{PlainFile.Random(10).Key}/fetch", null);
                said = await answer.Content.ReadAsStringAsync();
                answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, said);
                return said.Contains("right", StringComparison.Ordinal);
            },
            "a node of the upstream is asked for a file that nobody knows"
        );

        said.ShouldNotContain("s3cr3t");
        said.ShouldNotContain("ftp");
    }
}
