using System.Text.Json.Nodes;
using FileTransfer.Cli;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class ListCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Every_page_is_read_and_filters_are_passed_on()
    {
        await using var node = await FakeNode.StartAsync();
        for (var i = 0; i < 7; i++)
        {
            node.Add(CliHarness.Metadata($"photos/{i}", [(byte)i]), [(byte)i]);
        }

        node.Add(CliHarness.Metadata("other\t1", [1]), [1]);

        var all = await _cli.RunAsync("list", "--url", node.Address);
        var photos = await _cli.RunAsync("list", "--prefix", "photos/", "--bucket", CliHarness.Bucket, "--url", node.Address);
        var failed = await _cli.RunAsync("list", "--state", "failed", "--url", node.Address);
        var json = await _cli.RunAsync("list", "--json", "--prefix", "photos/3", "--url", node.Address);

        all.Code.ShouldBe(ExitCode.Ok);
        all.Lines.Length.ShouldBe(8);
        all.Lines.ShouldAllBe(line => line.Split('\t').Length == 4);
        photos.Lines.Length.ShouldBe(7);
        photos.Lines.ShouldAllBe(line => line.Split('\t')[2] == "stored");
        failed.Lines.ShouldBeEmpty();
        failed.Code.ShouldBe(ExitCode.Ok);
        ((string)JsonNode.Parse(json.Lines.ShouldHaveSingleItem())!["location"]!).ShouldBe("photos/3");
    }

    [Fact]
    public async Task A_state_that_is_none_is_refused_with_those_there_are()
    {
        var result = await _cli.RunAsync("list", "--state", "lost");

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("downloading");
    }
}
