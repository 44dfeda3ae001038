using System.Net;
using System.Text.Json.Nodes;
using FileTransfer.IntegrationTests.Downloads;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Cli;

/// <summary>The program beside real nodes, on a day on which things fail.</summary>
public sealed class ProgramTests
{
    private const string Owner = "0x01";
    private const string Bucket = "0x02";

    [Thorough]
    [Fact]
    public async Task Uploads_go_on_contents_come_without_the_database_and_a_dead_node_is_taken_out()
    {
        await using var server = await PrivatePostgres.StartAsync();
        await using var cluster = TestCluster.Over(server);
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        var content = ReplicationTests.Content(7, 3_000_000);
        var path = Path.Combine(cluster.Folder, "big");
        await File.WriteAllBytesAsync(path, content);

        // An upload that ended after half of its chunks.
        string[] identity = ["--owner", Owner, "--bucket", Bucket];
        var key = (await RunAsync(0, ["key", path, "--location", "photos/big", .. identity])).Out.Split(' ')[0].Trim();
        var plain = new PlainFile(content, "photos/big"u8.ToArray(), [2], [1]);
        plain.Key.ShouldBe(key);
        await leader.RegisterAsync(plain);
        using (var half = await leader.UploadAsync(key, plain.Framed[..(1032 * 1400)]))
        {
            half.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        }

        string[] at = ["--url", $"{leader.Url}"];
        var put = await RunAsync(0, ["put", path, "--location", "photos/big", .. identity, .. at]);
        put.Error.ShouldContain("1.4 MiB of 2.9 MiB are at");
        await TestCluster.StoredAsync(follower, key);
        (await RunAsync(0, ["list", "--prefix", "photos/", .. at])).Out.ShouldBe(
            $"{key}\t{content.Length}\tstored\tphotos/big\n"
        );

        // A content of a few bytes that is here already, under another key.
        var tiny = Path.Combine(cluster.Folder, "tiny");
        await File.WriteAllBytesAsync(tiny, [1, 2, 3]);
        await RunAsync(0, ["put", tiny, "--location", "one", .. identity, .. at]);
        await RunAsync(0, ["put", tiny, "--location", "two", "--retry-for", "0s", .. identity, .. at]);
        await RunAsync(0, ["status", "--wait", "60s", .. at]);

        // Its database goes, its contents stay.
        await server.StopAsync();
        var target = Path.Combine(cluster.Folder, "got");
        var got = await RunAsync(0, ["get", key, "--output", target, "--json", .. at]);
        (await File.ReadAllBytesAsync(target)).AsSpan().SequenceEqual(content).ShouldBeTrue();
        ((string)JsonNode.Parse(got.Out)!["proven"]!).ShouldBe("fingerprint");
        got.Error.ShouldContain("could not be verified");
        await RunAsync(1, ["healthcheck", "--cluster", .. at]);
        await RunAsync(0, ["healthcheck", "--ready", .. at]);
        await server.StartAgainAsync();
        await Eventually.HoldsAsync(
            async () => (await leader.Http.GetAsync("/health/cluster")).IsSuccessStatusCode && await IsWellAsync(follower),
            "the cluster takes writes again"
        );

        // A node that runs is not taken out; one that does not is gone with all that was kept under its name.
        (await RunAsync(1, ["node", "remove", "b", "--yes", .. at])).Error.ShouldContain("is alive");
        using (var refused = await leader.Http.DeleteAsync("/v1/nodes/b"))
        {
            await refused.ShouldBeProblemAsync(409, "node-alive", "b");
        }

        await follower.StopAsync();
        await Eventually.HoldsAsync(
            async () =>
                (await RunAsync(null, ["status", .. at])) is { Code: 3 } status && status.Error.Contains("b not heard from"),
            "status names the dead node"
        );
        (await RunAsync(0, ["node", "remove", "b", "--yes", .. at])).Out.ShouldBe("b removed, with 3 replicas\n");
        await RunAsync(0, ["status", .. at]);
        await RunAsync(5, ["node", "remove", "b", "--yes", .. at]);
        var nodes = (await leader.GetJsonAsync("/v1/nodes")).GetProperty("nodes");
        nodes.EnumerateArray().Select(node => node.GetProperty("node").GetString()).ShouldBe(["a"]);
        var file = await leader.GetJsonAsync($"/v1/files/{key}");
        file.GetProperty("replicas").EnumerateArray().Select(one => one.GetProperty("node").GetString()).ShouldBe(["a"]);

        // It may come back as a new node, with an empty folder.
        Directory.Delete(cluster.FolderOf("b"), recursive: true);
        var again = await cluster.StartFollowerAsync("b");
        await TestCluster.StoredAsync(again, key);
    }

    [Thorough]
    [Fact]
    public async Task Ctrl_C_in_the_middle_of_a_put_and_of_a_get_says_what_is_kept_and_the_same_command_goes_on_there()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        await using var proxy = new ForwardingProxy { Target = leader.Url, StandsStillAfter = 8_000_000 };
        var content = ReplicationTests.Content(8, 12_000_000);
        var (path, target) = (Path.Combine(cluster.Folder, "big"), Path.Combine(cluster.Folder, "got"));
        await File.WriteAllBytesAsync(path, content);
        string[] put = ["put", path, "--location", "big", "--owner", Owner, "--bucket", Bucket, "--url", proxy.Url];

        var interrupted = await InterruptAsync(put, () => proxy.StandingStill == 1);
        interrupted.Code.ShouldBe(130, interrupted.Error);
        interrupted.Error.ShouldContain("the same command resumes them");
        proxy.StandsStillAfter = null;
        var done = await RunAsync(0, put);
        done.Error.ShouldContain("MiB of 11.4 MiB are at");

        proxy.StandsStillAfter = 8_000_000;
        string[] get = ["get", done.Out.Split('\t', ' ')[0].Trim(), "--output", target, "--url", proxy.Url];
        interrupted = await InterruptAsync(get, () => proxy.StandingStill == 2);
        interrupted.Code.ShouldBe(130, interrupted.Error);
        interrupted.Error.ShouldContain("the same command resumes there");
        File.Exists(target).ShouldBeFalse();
        proxy.StandsStillAfter = null;
        (await RunAsync(0, get)).Error.ShouldContain("are here already; resuming");
        (await File.ReadAllBytesAsync(target)).AsSpan().SequenceEqual(content).ShouldBeTrue();
    }

    private static async Task<bool> IsWellAsync(NodeProcess node) =>
        (await node.GetJsonAsync("/health/ready")).GetProperty("status").GetString() == "healthy";

    private static Task<ProgramRun> RunAsync(int? expected, string[] args) => ProgramRun.RunAsync(expected, args);

    /// <summary>Sends it SIGINT when something is so.</summary>
    private static Task<ProgramRun> InterruptAsync(string[] args, Func<bool> when) =>
        ProgramRun.RunAsync(expected: null, args, interruptWhen: () => Task.FromResult(when()));
}
