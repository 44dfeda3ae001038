using System.Text.Json.Nodes;
using FileTransfer.Cli;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class PutCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task A_file_is_registered_sent_and_reported()
    {
        await using var node = await FakeNode.StartAsync();
        var content = CliHarness.Bytes(1_500_001);
        var file = _cli.Write("a", content);
        var key = CliHarness.Metadata("x/a", content).ComputeKey();

        var result = await _cli.RunAsync("put", file, "--location", "x/a", "--url", node.Address);

        result.Error.ShouldBeEmpty();
        result.Code.ShouldBe(ExitCode.Ok);
        result.Lines.ShouldBe([$"{key} {file}"]);
        node.Files[key].Content.ShouldBe(content);
        node.Requests.ShouldBe([$"PUT /v1/files/{key}", $"POST /upload/{key}"]);
    }

    [Fact]
    public async Task A_file_that_is_stored_already_is_not_sent_again()
    {
        await using var node = await FakeNode.StartAsync();
        var content = CliHarness.Bytes(5000);
        node.Add(CliHarness.Metadata("a", content), content);

        var result = await _cli.RunAsync("put", _cli.Write("a", content), "--json", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        ((string)JsonNode.Parse(result.Lines.Single())!["outcome"]!).ShouldBe("known");
        node.Requests.ShouldHaveSingleItem().ShouldStartWith("PUT ");
    }

    [Fact]
    public async Task A_folder_is_put_with_locations_below_the_prefix_and_without_its_empty_files()
    {
        await using var node = await FakeNode.StartAsync();
        var contents = Enumerable.Range(0, 20).ToDictionary(i => $"f/{i % 3}/{i}", i => CliHarness.Bytes(1000 + i, i));
        foreach (var (name, content) in contents)
        {
            _cli.Write(name, content);
        }

        var empty = _cli.Write("f/empty", []);
        Directory.CreateSymbolicLink(_cli.PathOf("f/circle"), _cli.PathOf("f"));

        var result = await _cli.RunAsync("put", "-r", _cli.PathOf("f"), "--prefix", "p/", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.LeftOut);
        result.Error.ShouldStartWith($"{empty} is empty and is left out\n");
        result.Lines.Length.ShouldBe(20);
        foreach (var (name, content) in contents)
        {
            node.Files[CliHarness.Metadata("p/" + name, content).ComputeKey()].Content.ShouldBe(content);
        }
    }

    [Fact]
    public async Task A_followers_word_is_followed_to_the_leader_and_said()
    {
        await using var leader = await FakeNode.StartAsync();
        await using var follower = await FakeNode.StartAsync();
        follower.Leader = leader.Address;
        var content = CliHarness.Bytes(3000);

        var result = await _cli.RunAsync("put", _cli.Write("a", content), "--url", follower.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        result.Error.ShouldContain($"continuing at the leader, {leader.Address}");
        leader.Files.Values.Single().Content.ShouldBe(content);
        follower.BytesReceived.ShouldBe(0);
    }

    [Theory]
    [InlineData("a leader that it does not list")]
    [InlineData("a redirect")]
    [InlineData("the machine's provider")]
    public async Task Where_a_node_leads_to_by_its_word_alone_gets_no_token_and_no_byte(string by)
    {
        await using var hostile = await FakeNode.StartAsync();
        await using var node = await FakeNode.StartAsync();
        var led = by == "the machine's provider" ? "http://169.254.169.254" : hostile.Address;
        (node.Leader, node.Cluster) = (led, FakeNode.ClusterOf(led == hostile.Address ? "http://127.0.0.1:1" : led));
        node.Before = context =>
        {
            context.Response.Headers.Location = $"{hostile.Url.Scheme}://u:s3cr3t@{hostile.Url.Authority}/x?sig=s3cr3t";
            context.Response.StatusCode = by == "a redirect" ? 307 : 200;
            return Task.FromResult(by == "a redirect");
        };
        _cli.Environment["FILETRANSFER_TOKEN"] = "secret";

        var result = await _cli.RunAsync("put", _cli.Write("a", [1, 2, 3]), "--url", node.Address);

        result.Code.ShouldBe(by == "a redirect" ? ExitCode.Failed : ExitCode.Refused, result.Error);
        result.Error.ShouldContain(led);
        result.Error.ShouldContain("as --url");
        result.Error.ShouldNotContain("s3cr3t");
        hostile.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_lost_connection_in_the_middle_is_tried_again()
    {
        await using var node = await FakeNode.StartAsync();
        node.Cuts.Enqueue(700_000);
        var content = CliHarness.Bytes(3_000_000);

        var result = await _cli.RunAsync("put", _cli.Write("a", content), "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        node.Files.Values.Single().Content.ShouldBe(content);
    }

    [Fact]
    public async Task A_leader_that_dies_in_the_middle_is_replaced_by_the_next_leader()
    {
        await using var first = await FakeNode.StartAsync();
        await using var second = await FakeNode.StartAsync();
        second.Leader = first.Address;
        first.Before = async context =>
        {
            if (context.Request.Method != "POST")
            {
                return false;
            }

            // Dies after the first bytes; the other leads from then on.
            await context.Request.Body.ReadExactlyAsync(new byte[10_000]);
            second.Leader = null;
            first.Before = dead =>
            {
                dead.Abort();
                return Task.FromResult(true);
            };
            context.Abort();
            return true;
        };
        var content = CliHarness.Bytes(2_000_000);

        var result = await _cli.RunAsync("put", _cli.Write("a", content), "--url", first.Address, "--url", second.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        second.Files.Values.Single().Content.ShouldBe(content);
    }

    [Fact]
    public async Task A_node_that_asks_for_patience_is_asked_again()
    {
        await using var node = await FakeNode.StartAsync();
        node.Busy = 2;

        var result = await _cli.RunAsync("put", _cli.Write("a", CliHarness.Bytes(100)), "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        result.Error.ShouldContain("The database is away; trying again");
    }

    [Fact]
    public async Task Nodes_that_stay_away_end_it_with_7_and_the_other_files_are_not_tried()
    {
        string[] files = [.. Enumerable.Range(0, 5).Select(i => _cli.Write($"{i}", [1]))];

        var result = await _cli.RunAsync(["put", .. files, "--parallel", "1", "--retry-for", "100ms", "--url", _cli.DeadUrl()]);

        result.Code.ShouldBe(ExitCode.Unreachable);
        result.Error.Split("error: ").Length.ShouldBe(2);
        result.Error.ShouldContain("cannot be reached");
    }

    [Fact]
    public async Task A_missing_token_is_refused_with_6_and_given_by_the_environment()
    {
        await using var node = await FakeNode.StartAsync();
        node.Token = "secret";
        var file = _cli.Write("a", [1, 2, 3]);

        var without = await _cli.RunAsync("put", file, "--url", node.Address);
        _cli.Environment["FILETRANSFER_TOKEN"] = "secret";
        _cli.Environment["FILETRANSFER_URL"] = node.Address;
        var with = await _cli.RunAsync("put", file);

        without.Code.ShouldBe(ExitCode.Refused);
        without.Error.ShouldContain("Send a bearer token that this node knows. (Unauthenticated)");
        with.Code.ShouldBe(ExitCode.Ok);
    }

    [Fact]
    public async Task A_content_that_the_node_cannot_prove_ends_with_65()
    {
        await using var node = await FakeNode.StartAsync();
        var file = _cli.Write("a", CliHarness.Bytes(5000));
        node.Before = context =>
        {
            // The file changes between its fingerprint and its upload.
            if (context.Request.Method == "PUT")
            {
                File.WriteAllBytes(file, CliHarness.Bytes(5000, seed: 9));
            }

            return Task.FromResult(false);
        };

        var result = await _cli.RunAsync("put", file, "--url", node.Address);

        result.Code.ShouldBe(ExitCode.NotProven);
        result.Out.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_unreadable_file_fails_and_the_others_are_put()
    {
        await using var node = await FakeNode.StartAsync();
        var (good, missing) = (_cli.Write("good", [1]), _cli.PathOf("missing"));

        var result = await _cli.RunAsync("put", missing, good, "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Failed);
        result.Error.ShouldBe($"error: {missing} does not exist.\n");
        result.Lines.ShouldHaveSingleItem().ShouldEndWith(good);
    }

    [Fact]
    public async Task An_upload_that_was_cut_off_goes_on_where_it_stopped_and_says_so()
    {
        await using var node = await FakeNode.StartAsync();
        var content = CliHarness.Bytes(5_000_000);
        node.Cuts.Enqueue(3_000_000);

        var result = await _cli.RunAsync("put", _cli.Write("a", content), "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        node.Files.Values.Single().Content.ShouldBe(content);
        result.Error.ShouldContain("are at " + node.Address + " already; resuming there");
        node.BytesReceived.ShouldBeLessThan(5_000_000 + 200_000);
    }

    [Fact]
    public async Task A_folder_keeps_its_name_and_a_slash_behind_it_means_what_is_in_it()
    {
        await using var node = await FakeNode.StartAsync();
        _cli.Write("photos/2030/a", [1]);
        var folder = _cli.PathOf("photos");

        (await _cli.RunAsync("put", "-r", folder, "--url", node.Address)).Code.ShouldBe(ExitCode.Ok);
        (await _cli.RunAsync("put", "-r", folder + "/", "--prefix", "x/", "--url", node.Address)).Code.ShouldBe(ExitCode.Ok);

        node.Files.Values.Select(file => file.Metadata.Location.AsUtf8()!)
            .Order(StringComparer.Ordinal)
            .ShouldBe(["photos/2030/a", "x/2030/a"]);
    }

    [Fact]
    public async Task Empty_files_are_counted_and_end_with_a_code_of_their_own_unless_they_are_skipped_on_purpose()
    {
        await using var node = await FakeNode.StartAsync();
        _cli.Write("d/full", [1]);
        _cli.Write("d/empty", []);

        var result = await _cli.RunAsync("put", "-r", _cli.PathOf("d"), "--url", node.Address);
        var skipped = await _cli.RunAsync("put", "-r", _cli.PathOf("d"), "--skip-empty", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.LeftOut);
        result.Error.ShouldContain("1 files were put, 1 are empty");
        skipped.Code.ShouldBe(ExitCode.Ok);
    }

    [Fact]
    public async Task An_interrupted_put_ends_with_130()
    {
        await using var node = await FakeNode.StartAsync();
        using var interrupt = new CancellationTokenSource();
        node.Before = async context =>
        {
            await interrupt.CancelAsync();
            return false;
        };

        var result = await _cli.RunAsync(["put", _cli.Write("a", CliHarness.Bytes(100)), "--url", node.Address], interrupt.Token);

        result.Code.ShouldBe(ExitCode.Interrupted);
    }

    [Theory]
    [InlineData("--location", "a", "--prefix", "b")]
    [InlineData("--parallel", "0")]
    [InlineData("--url", "ftp://somewhere")]
    [InlineData("--retry-for", "soon")]
    [InlineData("--unknown")]
    public async Task A_wrong_command_line_is_refused_with_2(params string[] args)
    {
        var result = await _cli.RunAsync(["put", _cli.Write("a", [1]), .. args]);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("filetransfer put --help");
    }

    [Fact]
    public async Task A_location_for_two_files_and_a_folder_without_recursive_are_refused_with_2()
    {
        var (a, b) = (_cli.Write("a", [1]), _cli.Write("b", [1]));

        (await _cli.RunAsync("put", a, b, "--location", "x")).Code.ShouldBe(ExitCode.Usage);
        (await _cli.RunAsync("put", _cli.Folder)).Code.ShouldBe(ExitCode.Usage);
    }
}
