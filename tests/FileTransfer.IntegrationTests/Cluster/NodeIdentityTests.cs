using System.Net;
using System.Text.Json;
using FileTransfer.Cluster;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Npgsql;
using static FileTransfer.IntegrationTests.Testbed.Nodes.GuardedNodes;

namespace FileTransfer.IntegrationTests.Cluster;

public sealed class NodeIdentityTests
{
    private const int MustBeChanged = 78;

    [Thorough]
    [Fact]
    public async Task A_second_process_with_a_node_id_that_is_in_use_waits_says_so_and_gives_up()
    {
        await using var cluster = await TestCluster.CreateAsync();
        await cluster.StartLeaderAsync("a");

        await using var second = await NodeProcess.StartAsync("a", cluster.FolderOf("other"), cluster.ConnectionString);
        await second.CheckSaysAsync("membership", "degraded", "another process runs as node 'a'; waiting for it to go");

        await ExitsAsync(second);
        second.Log.ShouldContain("Another process runs as node 'a' of cluster 'default'");
        second.Log.ShouldContain("give this one a FileTransfer:NodeId of its own");
        (
            await cluster.Database.ScalarAsync<long>(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'a/leader' AND datname = current_database()"
            )
        ).ShouldBe(1);
    }

    [Thorough]
    [Fact]
    public async Task A_second_process_takes_over_a_node_id_when_the_first_goes_in_time()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var first = await cluster.StartLeaderAsync("a");
        await using var second = await NodeProcess.StartAsync("a", cluster.FolderOf("other"), cluster.ConnectionString);
        await second.SaysAsync("Another process runs as node a");

        await first.KillAsync();

        await Eventually.HoldsAsync(
            async () => new Uri((await second.GetJsonAsync("/v1/leader")).GetProperty("url").GetString()!) == second.Url,
            "it leads"
        );
    }

    [Fact]
    public async Task Who_reads_the_feed_of_a_node_that_has_not_joined_a_new_cluster_is_told_that_it_comes()
    {
        await using var cluster = await TestCluster.CreateAsync();
        await using var holder = await cluster.Database.Pool.OpenConnectionAsync();
        var key = NodeDirectory.LockOf("default", new NodeId("a")).Value;
        await using var held = new NpgsqlCommand($"SELECT pg_advisory_lock({key})", holder);
        await held.ExecuteNonQueryAsync();
        var node = await cluster.StartAsync("a");
        await node.CheckSaysAsync("membership", "degraded", "another process runs as node 'a'; waiting for it to go");

        string[] feed = ["sync/cursors", "sync/bins/0?from=1", "sync/bins/0/files", "sync/bins/0/digests", "changes"];
        foreach (var path in feed)
        {
            using var refused = await node.Http.GetAsync($"/v1/{path}");
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable, path);
            var problem = await refused.ReadProblemAsync("database-unavailable");
            problem.GetProperty("detail").GetString()!.ShouldContain("has not joined its cluster: another process runs");
        }

        await using var released = new NpgsqlCommand($"SELECT pg_advisory_unlock({key})", holder);
        await released.ExecuteNonQueryAsync();
        await Eventually.HoldsAsync(
            async () => (await node.Http.GetAsync("/v1/sync/cursors")).IsSuccessStatusCode,
            "the feed can be read"
        );
    }

    [Fact]
    public async Task A_second_process_on_one_data_folder_is_refused()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var first = await cluster.StartLeaderAsync("a");

        await using var second = NodeProcess.Launch("b", cluster.FolderOf("a"), cluster.ConnectionString);

        await ExitsAsync(second);
        second.Log.ShouldContain($"The data directory {cluster.FolderOf("a")} is in use by process {first.Pid}");
        second.Log.ShouldContain("FileTransfer:DataDirectory");
    }

    [Fact]
    public async Task A_node_of_another_cluster_is_refused()
    {
        await using var cluster = await TestCluster.CreateAsync();
        await cluster.StartLeaderAsync("a");

        await using var stranger = NodeProcess.Launch(
            "b",
            cluster.FolderOf("b"),
            cluster.ConnectionString,
            new Dictionary<string, string> { ["FileTransfer__ClusterId"] = "other" }
        );

        await ExitsAsync(stranger);
        stranger.Log.ShouldContain("The database holds cluster 'default', and this node belongs to 'other'");
    }

    [Thorough]
    [Fact]
    public async Task A_key_that_is_shown_before_the_first_start_is_the_nodes_and_a_damaged_one_ends_the_start()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var folder = cluster.FolderOf("a");
        var (code, printed) = await TestedProgram.RunAsync("identity", "show", "--json", "--data-directory", folder);
        code.ShouldBe(0, printed);
        var shown = JsonDocument.Parse(printed).RootElement;
        shown.GetProperty("node").ValueKind.ShouldBe(JsonValueKind.Null);
        Directory.GetFileSystemEntries(folder).ShouldBe([Path.Combine(folder, "node.key")]);

        var node = await cluster.StartLeaderAsync("a");
        await Eventually.HoldsAsync(
            async () => (await KeysOfAsync(node, "a")).SequenceEqual([shown.GetProperty("publicKey").GetString()]),
            "it has joined with the key that was shown"
        );
        (code, printed) = await TestedProgram.RunAsync("identity", "show", "--data-directory", folder);
        (code, printed.Trim()).ShouldBe((0, $"a\t{shown.GetProperty("publicKey").GetString()}"));

        await node.KillAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "node.key"), "no key");
        await using var damaged = NodeProcess.Launch("a", folder, cluster.ConnectionString);
        await damaged.WaitForExitAsync();
        damaged.ExitCode.ShouldBe(MustBeChanged);
        damaged.Log.ShouldContain("Put it back from a backup");
    }

    private static async Task ExitsAsync(NodeProcess node)
    {
        await node.WaitForExitAsync();
        node.ExitCode.ShouldBe(MustBeChanged, node.Log);
    }
}
