using FileTransfer.Cli;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Cli.Commands;

/// <content>Wrong contents, wrong metadata, files that are not there.</content>
public sealed partial class GetCommandTests
{
    [Fact]
    public async Task A_wrong_content_ends_with_65_and_leaves_the_target_as_it_was()
    {
        await using var node = await FakeNode.StartAsync();
        var key = node.Add(CliHarness.Metadata("a", _content), _content);
        node.Corrupts = true;
        var target = _cli.Write("out", [7]);

        var result = await _cli.RunAsync("get", key.ToString(), "--output", target, "--url", node.Address);

        result.Code.ShouldBe(ExitCode.NotProven);
        result.Error.ShouldContain(node.Address);
        Directory.GetFileSystemEntries(_cli.Folder).ShouldBe([target]);
        File.ReadAllBytes(target).ShouldBe([7]);
    }

    [Fact]
    public async Task A_lying_node_is_replaced_by_the_next()
    {
        await using var liar = await FakeNode.StartAsync();
        await using var honest = await FakeNode.StartAsync();
        var metadata = CliHarness.Metadata("a", _content);
        var key = liar.Add(metadata, _content);
        honest.Add(metadata, _content);
        liar.Corrupts = true;
        var target = _cli.PathOf("out");

        var result = await _cli.RunAsync("get", key.ToString(), "-o", target, "--url", liar.Address, "--url", honest.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        result.Error.ShouldContain(liar.Address);
        File.ReadAllBytes(target).ShouldBe(_content);
    }

    [Fact]
    public async Task Metadata_that_is_not_what_the_key_names_is_refused_with_65()
    {
        await using var node = await FakeNode.StartAsync();
        var metadata = CliHarness.Metadata("a", _content);
        var key = metadata.ComputeKey();
        node.Files[key] = new FakeNode.FakeFile(metadata with { Size = 5 });

        var result = await _cli.RunAsync("get", key.ToString(), "-o", _cli.PathOf("out"), "--url", node.Address);

        result.Code.ShouldBe(ExitCode.NotProven);
    }

    [Fact]
    public async Task The_next_node_is_asked_where_one_lacks_the_file()
    {
        await using var empty = await FakeNode.StartAsync();
        await using var full = await FakeNode.StartAsync();
        var key = full.Add(CliHarness.Metadata("a", _content), _content);
        var target = _cli.PathOf("out");

        var result = await _cli.RunAsync("get", key.ToString(), "-o", target, "--url", empty.Address, "--url", full.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        File.ReadAllBytes(target).ShouldBe(_content);
    }

    [Fact]
    public async Task An_unknown_a_removed_and_an_unstored_file_have_exit_codes_of_their_own()
    {
        await using var node = await FakeNode.StartAsync();
        var removed = node.Add(CliHarness.Metadata("removed", _content), _content);
        node.Files[removed].FileState = "removed";
        var wanted = CliHarness.Metadata("wanted", _content).ComputeKey();
        node.Files[wanted] = new FakeNode.FakeFile(CliHarness.Metadata("wanted", _content));
        var unknown = new FileKey(new byte[32]);

        (await Get(unknown)).Code.ShouldBe(ExitCode.NotFound);
        (await Get(removed)).Code.ShouldBe(ExitCode.NotFound);
        var notYet = await Get(wanted);

        notYet.Code.ShouldBe(ExitCode.NotComplete);
        notYet.Error.ShouldContain("is wanted here");
        Directory.GetFileSystemEntries(_cli.Folder).ShouldBeEmpty();

        Task<CliResult> Get(FileKey key) => _cli.RunAsync("get", key.ToString(), "-o", _cli.PathOf("out"), "--url", node.Address);
    }
}
