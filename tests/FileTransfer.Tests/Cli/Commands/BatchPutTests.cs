using System.Text.Json.Nodes;
using FileTransfer.Cli;

namespace FileTransfer.Tests.Cli.Commands;

/// <summary>How <c>put</c> sends small files together, and says of each what became of it.</summary>
public sealed class BatchPutTests : IDisposable
{
    private const string Batch = "POST /v1/files/batch";

    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Small_files_share_a_request_and_large_ones_have_their_own()
    {
        await using var node = await FakeNode.StartAsync();
        var contents = Write(300, 2000);
        var large = CliHarness.Bytes((64 * 1024) + 1);
        _cli.Write("f/large", large);

        var result = await PutAsync(node);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        node.Requests.Count(request => request == Batch).ShouldBe(2);
        node.Requests.Count.ShouldBe(4);
        contents.Add("f/large", large);
        result.Lines.Order().ShouldBe(contents.Select(file => $"{KeyOf(file.Key, file.Value)} {_cli.PathOf(file.Key)}").Order());
        foreach (var (name, content) in contents)
        {
            node.Files[KeyOf(name, content)].Content.ShouldBe(content);
        }
    }

    [Fact]
    public async Task What_the_node_has_already_is_known()
    {
        await using var node = await FakeNode.StartAsync();
        Write(3, 100);
        await PutAsync(node);

        var result = await PutAsync(node, "--json");

        result.Lines.Select(line => (string)JsonNode.Parse(line)!["outcome"]!).ShouldBe(["known", "known", "known"]);
    }

    [Fact]
    public async Task One_refused_file_fails_with_its_reason_and_the_others_are_put()
    {
        await using var node = await FakeNode.StartAsync();
        Write(5, 100);
        node.InBatch = location => location == "f/2" ? (422, ProblemOf("fingerprint-mismatch", "Not its content.")) : null;

        var result = await PutAsync(node);

        result.Code.ShouldBe(ExitCode.NotProven);
        result.Error.ShouldBe($"error: {_cli.PathOf("f/2")}: Not its content.\n");
        result.Lines.Length.ShouldBe(4);
    }

    [Fact]
    public async Task A_leader_that_leads_no_more_is_left_in_the_middle_and_the_rest_goes_to_the_next()
    {
        await using var first = await FakeNode.StartAsync();
        await using var second = await FakeNode.StartAsync();
        Write(5, 100);
        var notLeader = ProblemOf("not-leader", "It does not lead.");
        notLeader["leaderUrl"] = second.Address;
        first.Cluster = FakeNode.ClusterOf(second.Address);
        first.InBatch = location => first.Files.Count == 2 ? (421, notLeader.DeepClone().AsObject()) : null;

        var result = await PutAsync(first);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Lines.Length.ShouldBe(5);
        (first.Files.Count, second.Files.Count).ShouldBe((2, 3));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_no_word_about_the_rest_which_is_sent_again()
    {
        await using var node = await FakeNode.StartAsync();
        Write(6, 100);
        node.InBatch = _ => node.Files.Count is 2 && node.Requests.Count(request => request == Batch) == 1 ? (0, null) : null;

        var result = await PutAsync(node);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Lines.Length.ShouldBe(6);
        node.Files.Count.ShouldBe(6);
        node.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_node_that_knows_no_batches_gets_the_files_one_by_one_and_is_not_asked_again()
    {
        await using var node = await FakeNode.StartAsync();
        node.KnowsNoBatches = true;
        Write(300, 10);

        var result = await PutAsync(node, "--parallel", "1");

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Lines.Length.ShouldBe(300);
        node.Requests.Count(request => request == Batch).ShouldBe(1);
    }

    [Fact]
    public async Task A_fault_that_is_said_of_no_file_is_looked_for_in_each()
    {
        await using var node = await FakeNode.StartAsync();
        Write(4, 100);
        node.InBatch = location => location == "f/1" ? (500, ProblemOf("internal-fault", "It failed.")) : null;

        var result = await PutAsync(node);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Lines.Length.ShouldBe(4);
    }

    [Fact]
    public async Task Nodes_that_stay_away_are_said_once_of_a_batch()
    {
        Write(5, 100);

        var result = await _cli.RunAsync("put", "-r", _cli.PathOf("f"), "--retry-for", "100ms", "--url", _cli.DeadUrl());

        result.Code.ShouldBe(ExitCode.Unreachable);
        result.Error.Split("error: ").Length.ShouldBe(2);
        result.Error.ShouldContain("the other files were not put");
    }

    private Dictionary<string, byte[]> Write(int count, int size)
    {
        var contents = Enumerable.Range(0, count).ToDictionary(i => $"f/{i}", i => CliHarness.Bytes(size, i));
        foreach (var (name, content) in contents)
        {
            _cli.Write(name, content);
        }

        return contents;
    }

    private Task<CliResult> PutAsync(FakeNode node, params string[] more) =>
        _cli.RunAsync(["put", "-r", _cli.PathOf("f"), "--url", node.Address, .. more]);

    private static FileTransfer.Identity.FileKey KeyOf(string location, byte[] content) =>
        CliHarness.Metadata(location, content).ComputeKey();

    private static JsonObject ProblemOf(string slug, string detail) =>
        new() { ["type"] = $"urn:filetransfer:problem:{slug}", ["detail"] = detail };
}
