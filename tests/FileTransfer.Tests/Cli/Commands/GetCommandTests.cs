using FileTransfer.Cli;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Cli.Commands;

public sealed partial class GetCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();
    private readonly byte[] _content = CliHarness.Bytes(2_000_003);

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task A_file_is_brought_proven_and_nothing_else_is_left()
    {
        await using var node = await FakeNode.StartAsync();
        var key = node.Add(CliHarness.Metadata("x/a", _content), _content);
        var target = _cli.PathOf("out");

        var result = await _cli.RunAsync("get", key.ToString(), "--output", target, "--url", node.Address);

        result.Error.ShouldBeEmpty();
        result.Code.ShouldBe(ExitCode.Ok);
        result.Lines.ShouldBe([$"{key} {target}"]);
        File.ReadAllBytes(target).ShouldBe(_content);
        Directory.GetFileSystemEntries(_cli.Folder).ShouldBe([target]);
    }

    [Fact]
    public async Task In_a_folder_it_has_the_last_part_of_its_location_as_name()
    {
        await using var node = await FakeNode.StartAsync();
        var named = node.Add(CliHarness.Metadata("x/../../a.bin", [1]), [1]);
        var nameless = node.Add(CliHarness.Metadata("x/..", [1]), [1]);

        await _cli.RunAsync("get", named.ToString(), "--output", _cli.Folder, "--url", node.Address);
        await _cli.RunAsync("get", nameless.ToString(), "--output", _cli.Folder, "--url", node.Address);

        Directory.GetFiles(_cli.Folder).Select(Path.GetFileName).ShouldBe(["a.bin", nameless.ToString()], ignoreOrder: true);
    }

    [Fact]
    public async Task Several_files_come_into_a_folder_and_one_whose_name_is_taken_is_named_by_its_key()
    {
        await using var node = await FakeNode.StartAsync();
        var first = node.Add(CliHarness.Metadata("x/a", [1]), [1]);
        var same = node.Add(CliHarness.Metadata("y/a", [2]), [2]);
        var other = node.Add(CliHarness.Metadata("y/b", [3]), [3]);

        var result = await _cli.RunAsync([
            "get",
            $"{first}",
            $"{same}",
            $"{other}",
            "--output",
            _cli.Folder,
            "--url",
            node.Address,
        ]);

        result.Error.ShouldBeEmpty();
        result.Code.ShouldBe(ExitCode.Ok);
        result.Lines.ShouldBe([$"{first} {_cli.PathOf("a")}", $"{same} {_cli.PathOf($"{same}")}", $"{other} {_cli.PathOf("b")}"]);
        result.Lines.Select(line => File.ReadAllBytes(line.Split(' ')[1])[0]).ShouldBe([(byte)1, (byte)2, (byte)3]);
    }

    [Fact]
    public async Task Of_several_files_the_ones_that_are_there_come_and_the_end_says_what_was_missing()
    {
        await using var node = await FakeNode.StartAsync();
        var unknown = CliHarness.Metadata("x", [1]).ComputeKey();
        var known = node.Add(CliHarness.Metadata("a", [2]), [2]);

        var result = await _cli.RunAsync("get", $"{unknown}", $"{known}", "--output", _cli.Folder, "--url", node.Address);

        result.Code.ShouldBe(ExitCode.NotFound);
        result.Error.ShouldContain(unknown.ToString());
        result.Lines.ShouldBe([$"{known} {_cli.PathOf("a")}"]);
    }

    [Theory]
    [InlineData("-")]
    [InlineData("file")]
    public async Task Several_files_do_not_go_into_one(string output)
    {
        var keys = new[] { CliHarness.Metadata("a", [1]), CliHarness.Metadata("b", [2]) }.Select(file => $"{file.ComputeKey()}");

        var result = await _cli.RunAsync(["get", .. keys, "--output", output]);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("folder");
    }

    [Fact]
    public async Task To_standard_output_goes_the_content_and_nothing_else()
    {
        await using var node = await FakeNode.StartAsync();
        var key = node.Add(CliHarness.Metadata("a", _content), _content);

        var result = await _cli.RunAsync("get", key.ToString(), "--output", "-", "--url", node.Address);

        result.Out.ShouldBeEmpty();
        _cli.Output.ToArray().ShouldBe(_content);
    }

    [Fact]
    public async Task A_lost_connection_goes_on_where_it_stopped()
    {
        await using var node = await FakeNode.StartAsync();
        var key = node.Add(CliHarness.Metadata("a", _content), _content);
        node.Cuts.Enqueue(500_000);
        node.Cuts.Enqueue(800_000);
        var target = _cli.PathOf("out");

        var result = await _cli.RunAsync("get", key.ToString(), "--output", target, "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        File.ReadAllBytes(target).ShouldBe(_content);
        node.Ranges.Count.ShouldBe(3);
        var starts = node.Ranges.Skip(1).Select(range => long.Parse(range["bytes=".Length..^1])).ToArray();
        starts[0].ShouldBeInRange(1032, 500_000);
        starts[1].ShouldBeInRange(starts[0] + 1032, starts[0] + 800_000);
        starts.ShouldAllBe(start => start % 1032 == 0);
    }

    [Fact]
    public async Task A_connection_that_stands_still_counts_as_lost_and_another_node_goes_on()
    {
        await using var still = await FakeNode.StartAsync();
        await using var other = await FakeNode.StartAsync();
        var metadata = CliHarness.Metadata("a", _content);
        var key = still.Add(metadata, _content);
        other.Add(metadata, _content);
        still.StandsStill = true;
        _cli.StallPeriod = TimeSpan.FromMilliseconds(200);
        var target = _cli.PathOf("out");

        var result = await _cli.RunAsync("get", key.ToString(), "-o", target, "--url", still.Address, "--url", other.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        File.ReadAllBytes(target).ShouldBe(_content);
        other.Ranges.ShouldBe(["bytes=1032-"]);
    }

    [Fact]
    public async Task A_node_without_ranges_starts_over_and_still_ends_well()
    {
        await using var node = await FakeNode.StartAsync();
        var key = node.Add(CliHarness.Metadata("a", _content), _content);
        node.Cuts.Enqueue(500_000);
        node.IgnoresRanges = true;
        var target = _cli.PathOf("out");

        var result = await _cli.RunAsync("get", key.ToString(), "--output", target, "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        File.ReadAllBytes(target).ShouldBe(_content);
    }

    [Fact]
    public async Task A_get_that_is_interrupted_before_anything_has_come_leaves_nothing_behind()
    {
        await using var node = await FakeNode.StartAsync();
        using var interrupt = new CancellationTokenSource();
        var key = node.Add(CliHarness.Metadata("a", _content), _content);
        node.Before = async context =>
        {
            if (context.Request.Path.StartsWithSegments("/download", StringComparison.Ordinal))
            {
                await interrupt.CancelAsync();
            }

            return false;
        };

        var result = await _cli.RunAsync(
            ["get", key.ToString(), "-o", _cli.PathOf("out"), "--url", node.Address],
            interrupt.Token
        );

        result.Code.ShouldBe(ExitCode.Interrupted);
        Directory.GetFileSystemEntries(_cli.Folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_kept_and_is_wrong_is_found_by_the_hashes_and_only_what_follows_comes_again()
    {
        await using var node = await FakeNode.StartAsync();
        var key = node.Add(CliHarness.Metadata("a", _content), _content);
        var kept = _content[..1_024_000];
        kept[600_000] ^= 1;
        _cli.Write($".{key.ToHex()}.partial", kept);

        var result = await _cli.RunAsync("get", key.ToString(), "-o", _cli.PathOf("out"), "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        File.ReadAllBytes(_cli.PathOf("out")).ShouldBe(_content);
        node.Ranges.ShouldBe(["bytes=1032000-", $"bytes={600_000 / 1024 * 1032}-"]);
    }

    [Fact]
    public async Task While_the_database_is_away_the_content_comes_and_what_is_not_proven_is_said()
    {
        await using var node = await FakeNode.StartAsync();
        var key = node.Add(CliHarness.Metadata("photos/a", _content), _content);
        node.HasNoDatabase = true;

        var result = await _cli.RunAsync("get", key.ToString(), "-o", _cli.Folder, "--url", node.Address, "--json");

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        File.ReadAllBytes(_cli.PathOf(key.ToString())).ShouldBe(_content);
        result.Out.ShouldContain("\"proven\":\"fingerprint\"");
        result.Error.ShouldContain("could not be verified");
        result.Error.ShouldContain(ContentFingerprint.Of(_content).ToString());

        node.Corrupts = true;
        (await _cli.RunAsync("get", key.ToString(), "-o", _cli.PathOf("b"), "--url", node.Address)).Code.ShouldBe(
            ExitCode.NotProven
        );

        var unknown = CliHarness.Metadata("x", [1]).ComputeKey().ToString();
        (await _cli.RunAsync("get", unknown, "--url", node.Address, "--retry-for", "0s")).Code.ShouldBe(ExitCode.Unavailable);
    }

    [Fact]
    public async Task A_target_in_a_folder_that_is_not_there_is_said_in_words()
    {
        await using var node = await FakeNode.StartAsync();
        var key = node.Add(CliHarness.Metadata("a", [1]), [1]);

        var result = await _cli.RunAsync("get", key.ToString(), "-o", _cli.PathOf("no/out"), "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Failed);
        result.Error.ShouldContain(_cli.PathOf("no"));
    }
}
