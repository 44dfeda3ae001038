using System.Text.Json.Nodes;
using FileTransfer.Cli;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class StatusCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task The_nodes_are_listed_with_roles_and_queues()
    {
        await using var node = await FakeNode.StartAsync();
        node.Cluster = Cluster(Node("a", stored: 5), Node("b", stored: 3, wanted: 2), Node("c", alive: false, wanted: 9));
        node.LeaderAnswer = new JsonObject
        {
            ["node"] = "a",
            ["url"] = node.Address,
            ["epoch"] = 4,
            ["since"] = "2030-01-01T00:00:00Z",
        };

        var text = await _cli.RunAsync("status", "--url", node.Address);
        var json = await _cli.RunAsync("status", "--json", "--url", node.Address);

        text.Code.ShouldBe(ExitCode.NotComplete);
        text.Lines.Length.ShouldBe(4);
        text.Lines[2].Split('\t').Take(5).ShouldBe(["b", "follower", "yes", "3", "2"]);
        var line = JsonNode.Parse(json.Lines.Single())!;
        ((bool)line["complete"]!).ShouldBeFalse();
        ((long)line["leader"]!["epoch"]!).ShouldBe(4);
        line["nodes"]!.AsArray().Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_node_that_is_not_heard_of_is_named_and_keeps_the_cluster_incomplete_until_it_is_removed()
    {
        await using var node = await FakeNode.StartAsync();
        node.Cluster = Cluster(Node("a"), Node("b", alive: false));

        var before = await _cli.RunAsync("status", "--url", node.Address);
        var asked = await _cli.RunAsync("node", "remove", "b", "--url", node.Address);
        var removed = await _cli.RunAsync("node", "remove", "b", "--yes", "--url", node.Address);
        var after = await _cli.RunAsync("status", "--url", node.Address);

        before.Code.ShouldBe(ExitCode.NotComplete);
        before.Error.ShouldContain("b not heard from");
        asked.Code.ShouldBe(ExitCode.Usage);
        asked.Error.ShouldContain("--yes");
        removed.Code.ShouldBe(ExitCode.Ok);
        removed.Out.ShouldContain("2 files were nowhere else");
        after.Code.ShouldBe(ExitCode.Ok);

        (await _cli.RunAsync("node", "remove", "a", "--yes", "--url", node.Address)).Code.ShouldBe(ExitCode.Failed);
        (await _cli.RunAsync("node", "remove", "x", "--yes", "--url", node.Address)).Code.ShouldBe(ExitCode.NotFound);
        (await _cli.RunAsync("node", "remove", "x", "--url", node.Address)).Code.ShouldBe(ExitCode.NotFound);
    }

    [Fact]
    public async Task Waiting_ends_as_soon_as_nothing_is_left_to_do()
    {
        await using var node = await FakeNode.StartAsync();
        var asked = 0;
        node.Cluster = Cluster(Node("a", wanted: 1));
        node.Before = context =>
        {
            if (context.Request.Path == "/v1/nodes" && Interlocked.Increment(ref asked) == 3)
            {
                node.Cluster = Cluster(Node("a"));
            }

            return Task.FromResult(false);
        };

        var result = await _cli.RunAsync("status", "--wait", "1m", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        asked.ShouldBe(3);
    }

    [Fact]
    public async Task Waiting_too_long_ends_with_4_and_says_who_is_behind()
    {
        await using var node = await FakeNode.StartAsync();
        node.Cluster = Cluster(Node("a", wanted: 1));

        var result = await _cli.RunAsync("status", "--wait", "300ms", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.TimedOut);
        result.Error.ShouldContain("a has 1 to do");
    }

    [Fact]
    public async Task What_has_failed_ends_a_wait_with_3()
    {
        await using var node = await FakeNode.StartAsync();
        node.Cluster = Cluster(Node("a", failed: 1));

        var result = await _cli.RunAsync("status", "--wait", "1m", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.NotComplete);
    }

    [Fact]
    public async Task A_file_is_complete_when_every_node_has_stored_it()
    {
        await using var node = await FakeNode.StartAsync();
        node.Cluster = Cluster(Node("a"), Node("b"));
        var key = node.Add(CliHarness.Metadata("x", [1]), [1]);
        node.Files[key].Replicas = [Replica("a", "stored"), Replica("b", "downloading")];

        var before = await _cli.RunAsync("status", key.ToString(), "--json", "--url", node.Address);
        node.Files[key].Replicas = [Replica("a", "stored"), Replica("b", "stored")];
        var after = await _cli.RunAsync("status", key.ToString(), "--url", node.Address);

        before.Code.ShouldBe(ExitCode.NotComplete);
        JsonNode.Parse(before.Lines.Single())!["notStoredOn"]!.AsArray().Select(name => (string)name!).ShouldBe(["b"]);
        after.Code.ShouldBe(ExitCode.Ok);
        after.Lines.Length.ShouldBe(3);
    }

    [Fact]
    public async Task A_file_is_not_lacking_where_the_policy_does_not_want_it()
    {
        await using var node = await FakeNode.StartAsync();
        node.Cluster = Cluster(Node("a"), Node("b"), Node("c"));
        var key = node.Add(CliHarness.Metadata("x", [1]), [1]);
        node.Files[key].Replicas = [Replica("a", "stored")];
        node.Files[key].NotWantedAt = ["b"];

        var before = await _cli.RunAsync("status", key.ToString(), "--json", "--url", node.Address);
        node.Files[key].NotWantedAt = ["b", "c"];
        var after = await _cli.RunAsync("status", key.ToString(), "--wait", "1m", "--url", node.Address);

        before.Code.ShouldBe(ExitCode.NotComplete);
        JsonNode.Parse(before.Lines.Single())!["notStoredOn"]!.AsArray().Select(name => (string)name!).ShouldBe(["c"]);
        after.Code.ShouldBe(ExitCode.Ok);
    }

    [Fact]
    public async Task An_unknown_and_a_removed_file_end_with_5_at_once()
    {
        await using var node = await FakeNode.StartAsync();
        node.Cluster = Cluster(Node("a"));
        var key = node.Add(CliHarness.Metadata("x", [1]), [1]);
        node.Files[key].FileState = "removed";

        (await _cli.RunAsync("status", key.ToString(), "--wait", "1m", "--url", node.Address)).Code.ShouldBe(ExitCode.NotFound);
        (await _cli.RunAsync("status", new FileKey(new byte[32]).ToString(), "--url", node.Address)).Code.ShouldBe(
            ExitCode.NotFound
        );
    }

    [Fact]
    public async Task An_address_that_is_no_node_is_said_in_words()
    {
        await using var node = await FakeNode.StartAsync();
        node.Cluster = new JsonObject { ["nodes"] = "none" };

        var result = await _cli.RunAsync("status", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Failed);
        result.Error.ShouldContain("Check --url");
    }

    private static JsonObject Cluster(params JsonNode[] nodes) =>
        new()
        {
            ["cluster"] = "default",
            ["leader"] = "a",
            ["nodes"] = new JsonArray(nodes),
        };

    private static JsonObject Node(string name, bool alive = true, int stored = 0, int wanted = 0, int failed = 0) =>
        new()
        {
            ["node"] = name,
            ["role"] = name == "a" ? "leader" : "follower",
            ["configuredRole"] = "auto",
            ["url"] = $"http://{name}:7070",
            ["startedAt"] = "2030-01-01T00:00:00Z",
            ["seenAt"] = "2030-01-01T00:00:00Z",
            ["alive"] = alive,
            ["stored"] = stored,
            ["wanted"] = wanted,
            ["downloading"] = 0,
            ["failed"] = failed,
            ["removing"] = 0,
            ["lag"] = 0,
        };

    private static JsonObject Replica(string node, string state) =>
        new()
        {
            ["node"] = node,
            ["state"] = state,
            ["bytesProven"] = 1,
            ["progress"] = 0.5,
            ["reason"] = null,
            ["attempts"] = 0,
            ["nextAttemptAt"] = null,
            ["epoch"] = 1,
            ["changedAt"] = "2030-01-01T00:00:00Z",
        };
}
