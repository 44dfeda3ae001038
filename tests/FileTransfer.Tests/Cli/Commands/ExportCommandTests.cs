using System.Text.Json.Nodes;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cli;
using FileTransfer.Exports;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class ExportCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    private string Share => _cli.PathOf("share");

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Every_stored_file_becomes_a_content_its_hashes_and_its_metadata()
    {
        await using var node = await FakeNode.StartAsync();
        var files = new Dictionary<FileKey, byte[]>();
        foreach (var size in new[] { 1, 1024, 1025, 700_001, 2_000_000 })
        {
            var content = CliHarness.Bytes(size, seed: size);
            files[node.Add(CliHarness.Metadata($"a/{size}", content), content)] = content;
        }

        var removed = node.Add(CliHarness.Metadata("a/removed", [1]), [1]);
        (node.Files[removed].FileState, node.Files[removed].State) = ("removed", "absent");

        var result = await RunAsync(node);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Error.ShouldBe("5 exported, 0 there already\n");
        Names()
            .ShouldBe(
                files.Keys.SelectMany(key => new[] { "", ".hashes", ".json" }, (key, end) => key.ToHex() + end),
                ignoreOrder: true
            );
        foreach (var (key, content) in files)
        {
            var path = Path.Combine(Share, key.ToHex());
            File.ReadAllBytes(path).ShouldBe(content);
            using var hashes = ChunkHashes.Open(content.Length, path + ".hashes");
            hashes.ComputeFingerprint().ShouldBe(ContentFingerprint.Of(content));
            var metadata = JsonNode.Parse(File.ReadAllText(path + ".json"))!;
            ((string)metadata["key"]!).ShouldBe(key.ToString());
            ((string)metadata["location"]!).ShouldBe($"a/{content.Length}");
            ((int)metadata["size"]!).ShouldBe(content.Length);
        }
    }

    [Fact]
    public async Task A_location_that_a_terminal_would_obey_is_shown_without_what_it_obeys()
    {
        await using var node = await FakeNode.StartAsync();
        node.Add(CliHarness.Metadata("red\u001b[31m\u009b1m", [1]), [1]);

        var result = await RunAsync(node);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Out.ShouldContain(@"red\x1b[31m\x9b1m");
    }

    [Fact]
    public async Task What_is_there_is_kept_and_not_asked_for_again()
    {
        await using var node = await FakeNode.StartAsync();
        var key = node.Add(CliHarness.Metadata("a", [1, 2, 3]), [1, 2, 3]);
        await RunAsync(node);
        var written = File.GetLastWriteTimeUtc(PathOf(key));

        var result = await RunAsync(node, "--json");

        ((string)JsonNode.Parse(result.Lines.Single())!["outcome"]!).ShouldBe("kept");
        File.GetLastWriteTimeUtc(PathOf(key)).ShouldBe(written);
        node.Ranges.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("", "--verify")]
    [InlineData(".hashes", "--verify")]
    public async Task A_part_that_is_damaged_is_found_by_verify_and_exported_again(string part, string option)
    {
        await using var node = await FakeNode.StartAsync();
        var content = CliHarness.Bytes(5000);
        var key = node.Add(CliHarness.Metadata("a", content), content);
        await RunAsync(node);
        var damaged = await File.ReadAllBytesAsync(PathOf(key) + part);
        damaged[100] ^= 1;
        await File.WriteAllBytesAsync(PathOf(key) + part, damaged);

        (await RunAsync(node)).Error.ShouldStartWith("0 exported");
        (await RunAsync(node, option)).Error.ShouldStartWith("1 exported");

        File.ReadAllBytes(PathOf(key)).ShouldBe(content);
        (await RunAsync(node, option)).Error.ShouldStartWith("0 exported");
    }

    [Fact]
    public async Task What_the_cluster_has_removed_is_held_then_pruned_and_what_it_does_not_know_stays()
    {
        await using var node = await FakeNode.StartAsync();
        var kept = node.Add(CliHarness.Metadata("a", [1]), [1]);
        var removed = node.Add(CliHarness.Metadata("b", [2]), [2]);
        var unknown = node.Add(CliHarness.Metadata("c", [3]), [3]);
        await RunAsync(node);
        (node.Files[removed].FileState, node.Files[removed].State) = ("removed", "absent");
        node.Files.TryRemove(unknown, out _);

        (await RunAsync(node, "--hold", "1h")).Code.ShouldBe(ExitCode.Usage);
        (await RunAsync(node, "--prune", "--hold", "1h")).Error.ShouldBe("0 exported, 1 there already, 0 pruned, 1 held\n");
        Names().ShouldContain(removed.ToHex());
        File.SetLastWriteTimeUtc(PathOf(removed) + ".removed", DateTime.UtcNow.AddHours(-2));
        (await RunAsync(node, "--prune", "--hold", "1h")).Error.ShouldBe("0 exported, 1 there already, 1 pruned, 0 held\n");

        Names().ShouldNotContain(name => name.StartsWith(removed.ToHex(), StringComparison.Ordinal));
        Names().ShouldContain(unknown.ToHex());
        var listed = await File.ReadAllLinesAsync(Path.Combine(Share, "index.ndjson"));
        listed.Select(line => (string)JsonNode.Parse(line)!["key"]!).ShouldBe([$"{kept}", $"{unknown}"], ignoreOrder: true);
    }

    [Fact]
    public async Task An_interrupted_export_goes_on_where_it_stopped()
    {
        await using var node = await FakeNode.StartAsync();
        var content = CliHarness.Bytes(300_000);
        var key = node.Add(CliHarness.Metadata("a", content), content);
        node.StandsStill = true; // After one chunk and a part of the next.
        _cli.StallPeriod = TimeSpan.FromSeconds(1);

        var cut = await RunAsync(node, "--retry-for", "0s");
        cut.Code.ShouldBe(ExitCode.Unreachable, cut.Error);
        File.Exists(PathOf(key)).ShouldBeFalse();
        node.StandsStill = false;
        _cli.StallPeriod = TimeSpan.FromSeconds(20);
        var result = await RunAsync(node);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        File.ReadAllBytes(PathOf(key)).ShouldBe(content);
        node.Ranges.ShouldBe(["", "bytes=1032-"]);
        Names().Count.ShouldBe(3);
    }

    [Fact]
    public async Task What_a_crash_left_wrong_is_fetched_again_and_no_node_is_blamed()
    {
        await using var node = await FakeNode.StartAsync();
        var content = CliHarness.Bytes(100_000);
        var key = node.Add(CliHarness.Metadata("a", content), content);
        Directory.CreateDirectory(Share);
        await File.WriteAllBytesAsync(Path.Combine(Share, $".{key.ToHex()}.partial"), new byte[50_000]);

        var result = await RunAsync(node);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        File.ReadAllBytes(PathOf(key)).ShouldBe(content);
        node.Ranges.ShouldBe([$"bytes={50_000 / 1024 * 1032}-", ""]);
    }

    [Fact]
    public async Task A_node_that_lies_is_found_out_and_nothing_gets_a_name()
    {
        await using var node = await FakeNode.StartAsync();
        node.Add(CliHarness.Metadata("a", [1, 2, 3]), [1, 2, 3]);
        node.Corrupts = true;

        var result = await RunAsync(node, "--retry-for", "0s");

        result.Code.ShouldBe(ExitCode.NotProven);
        Names().ShouldBeEmpty();
    }

    [Fact]
    public async Task Only_what_the_options_name_is_exported()
    {
        await using var node = await FakeNode.StartAsync();
        var first = node.Add(CliHarness.Metadata("photos/a", [1]), [1]);
        var second = node.Add(CliHarness.Metadata("photos/b", [2]), [2]);
        var other = node.Add(CliHarness.Metadata("tmp/a", [3]), [3]);

        (await RunAsync(node, "--location", "photos/", "--bucket", CliHarness.Bucket)).Lines.Length.ShouldBe(2);
        (await RunAsync(node, "--bucket", "0x99")).Lines.ShouldBeEmpty();
        (await RunAsync(node, other.ToString())).Lines.ShouldBe([$"exported {other} tmp/a"]);

        Names().ShouldContain(first.ToHex());
        Names().ShouldContain(second.ToHex());
    }

    [Fact]
    public async Task A_file_that_is_asked_for_and_not_there_is_told_and_the_others_come()
    {
        await using var node = await FakeNode.StartAsync();
        var known = node.Add(CliHarness.Metadata("a", [1]), [1]);
        var unknown = CliHarness.Metadata("b", [2]).ComputeKey();

        var result = await RunAsync(node, known.ToString(), unknown.ToString(), "--retry-for", "0s");

        result.Code.ShouldBe(ExitCode.NotFound);
        result.Error.ShouldContain(unknown.ToString());
        File.Exists(PathOf(known)).ShouldBeTrue();
    }

    [Fact]
    public async Task Two_exports_do_not_work_on_one_folder()
    {
        await using var node = await FakeNode.StartAsync();
        using var other = ExportFolder.TryOpen(Share, new FreeSpaceFloor(0));

        var result = await RunAsync(node);

        result.Code.ShouldBe(ExitCode.Failed);
        result.Error.ShouldContain("Another export");
    }

    [Fact]
    public async Task What_is_no_data_folder_is_refused_and_stays_as_it_is()
    {
        var result = await _cli.RunAsync("export", Share, "--data-directory", _cli.Folder);

        result.Code.ShouldBe(ExitCode.Failed);
        result.Error.ShouldContain("is not a node's data folder");
        Directory.Exists(_cli.PathOf("content")).ShouldBeFalse();
    }

    private Task<CliResult> RunAsync(FakeNode node, params string[] options) =>
        _cli.RunAsync(["export", Share, "--url", node.Address, .. options]);

    private string PathOf(FileKey key) => Path.Combine(Share, key.ToHex());

    private List<string> Names() =>
        [
            .. Directory
                .GetFiles(Share)
                .Select(path => Path.GetFileName(path)!)
                .Where(name => name is not (".export.lock" or "index.ndjson")),
        ];
}
