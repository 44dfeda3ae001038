using System.Text.Json.Nodes;
using FileTransfer.Cli;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class RemoveCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Each_file_is_removed_at_the_leader()
    {
        await using var leader = await FakeNode.StartAsync();
        await using var follower = await FakeNode.StartAsync();
        follower.Leader = leader.Address;
        var (a, b) = (leader.Add(CliHarness.Metadata("a", [1]), [1]), leader.Add(CliHarness.Metadata("b", [1]), [1]));

        var result = await _cli.RunAsync("remove", a.ToString(), b.Value.ToHex().ToUpperInvariant(), "--url", follower.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        result.Lines.ShouldBe([$"{a} removed", $"{b} removed"]);
        leader.Files.Values.ShouldAllBe(file => file.FileState == "removed");
    }

    [Fact]
    public async Task More_than_a_hundred_files_and_a_prefix_are_removed_only_where_somebody_says_yes()
    {
        await using var node = await FakeNode.StartAsync();
        List<FileKey> keys = [.. Enumerable.Range(0, 101).Select(i => node.Add(CliHarness.Metadata($"photos/{i}", [1]), [1]))];
        string[] all = [.. keys.Select(key => key.ToString())];
        var bucket = CliHarness.Metadata("", [1]).Bucket.ToString();
        string[] prefix = ["--bucket", bucket, "--prefix", "photos/"];

        foreach (var chosen in (string[][])[all, prefix])
        {
            var refused = await _cli.RunAsync(["remove", .. chosen, "--url", node.Address]);
            refused.Code.ShouldBe(ExitCode.Usage);
            refused.Lines.Length.ShouldBe(101);
            refused.Error.ShouldContain("101 files");
            refused.Error.ShouldContain("--yes");
        }

        (await _cli.RunAsync(["remove", .. prefix, "--dry-run", "--yes", "--url", node.Address])).Code.ShouldBe(ExitCode.Ok);
        node.Files.Values.ShouldAllBe(file => file.FileState != "removed");

        (await _cli.RunAsync(["remove", .. prefix, "--yes", "--url", node.Address])).Code.ShouldBe(ExitCode.Ok);
        node.Files.Values.ShouldAllBe(file => file.FileState == "removed");
        (await _cli.RunAsync("remove", "--prefix", "photos/")).Code.ShouldBe(ExitCode.Usage);
    }

    [Fact]
    public async Task An_unknown_key_ends_with_5_and_the_others_are_still_removed()
    {
        await using var node = await FakeNode.StartAsync();
        var (unknown, known) = (new FileKey(new byte[32]), node.Add(CliHarness.Metadata("a", [1]), [1]));

        var result = await _cli.RunAsync("remove", "--json", unknown.ToString(), known.ToString(), "--url", node.Address);

        result.Code.ShouldBe(ExitCode.NotFound);
        ((string)JsonNode.Parse(result.Lines.Single())!["key"]!).ShouldBe(known.ToString());
        var error = JsonNode.Parse(result.Error)!;
        ((string)error["subject"]!).ShouldBe(unknown.ToString());
        ((string)error["type"]!).ShouldBe("urn:filetransfer:problem:file-unknown");
    }

    [Fact]
    public async Task What_is_no_key_is_refused_with_2()
    {
        var result = await _cli.RunAsync("remove", "0x12");

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("'0x12' is not a file key");
    }
}
