using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Cli;

/// <summary><c>filetransfer doctor</c> beside real nodes: what is wrong is found, named, and worth an exit code.</summary>
public sealed class DoctorTests
{
    private const int Fine = 0;
    private const int Warned = 1;
    private const int Broken = 2;

    /// <summary><c>filetransfer-doctor</c>, in hex.</summary>
    private const string Bucket = "0x66696c657472616e736665722d646f63746f72";

    [Fact]
    public async Task A_cluster_that_is_well_passes_every_check_and_nothing_is_left_of_the_probe()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        await leader.CheckSaysAsync("membership", "healthy");
        await follower.CheckSaysAsync("membership", "healthy");

        // By way of the follower: the probe goes to the leader all the same.
        var run = await ExamineAsync(Fine, cluster, follower, ["--peer", "all"]);

        run.Lines.Select(line => line.GetProperty("check").GetString())
            .ShouldBe([
                "configuration",
                "database",
                "schema",
                "proxy",
                "disk",
                "fsync",
                "node",
                "token",
                "cluster",
                "probe put",
                "probe followed",
                "probe read",
                "peer a",
                "peer b",
                "probe removed",
                "clock",
            ]);
        run.Lines.Where(line => StatusOf(line) != "ok").ShouldHaveSingleItem().GetProperty("check").GetString().ShouldBe("token");
        SeenBy(run, "database").ShouldContain("PostgreSQL 1");
        SeenBy(run, "probe followed").ShouldStartWith("at a, b after");
        foreach (
            var (check, figure) in new[]
            {
                ("fsync", "fsyncsPerSecond"),
                ("probe put", "milliseconds"),
                ("peer b", "megabytesPerSecond"),
            }
        )
        {
            Found(run, check).GetProperty("figures").GetProperty(figure).GetDouble().ShouldBeGreaterThan(0);
        }

        await NothingIsLeftAsync(cluster, leader, follower);
        Directory.EnumerateFiles(follower.DataDirectory, ".doctor*").ShouldBeEmpty();

        // For a person, a line a check.
        var text = await ProgramRun.RunAsync(Fine, ["doctor", "--no-probe"], SettingsOf(cluster, follower));
        text.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(14);
        text.Out.ShouldContain("OK    schema          version ");
        text.Out.ShouldContain("--    probe put       --no-probe was given\n");
    }

    [Thorough]
    [Fact]
    public async Task A_database_that_is_away_is_named_and_what_needs_it_is_not_tried()
    {
        await using var server = await PrivatePostgres.StartAsync();
        await using var cluster = TestCluster.Over(server);
        var node = await cluster.StartLeaderAsync("a");
        await server.StopAsync();

        var run = await ExamineAsync(Broken, cluster, node, ["--peer", "all"]);

        StatusOf(Found(run, "database")).ShouldBe("critical");
        Found(run, "database").GetProperty("advice").GetString()!.ShouldContain("ConnectionStrings:Postgres");
        StatusOf(Found(run, "schema")).ShouldBe("skipped");
        StatusOf(Found(run, "disk")).ShouldBe("ok");
        StatusOf(Found(run, "cluster")).ShouldBe("critical");
        SeenBy(run, "probe put").ShouldContain("no leader");
    }

    [Thorough]
    [Fact]
    public async Task A_wrong_token_is_told_from_one_that_may_not_write()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartAsync(
            "a",
            ("FileTransfer__Tokens__0__Name", "viewer"),
            ("FileTransfer__Tokens__0__Sha256", Convert.ToHexStringLower(SHA256.HashData("right"u8))),
            ("FileTransfer__Tokens__0__Scopes__0", "read")
        );

        node.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "right");
        await node.CheckSaysAsync("leader", "healthy");

        var wrong = await ExamineAsync(Broken, cluster, node, ["--token", "wrong"]);
        StatusOf(Found(wrong, "token")).ShouldBe("critical");
        SeenBy(wrong, "token").ShouldContain("not known to this node");
        StatusOf(Found(wrong, "probe put")).ShouldBe("skipped");

        var right = await ExamineAsync(Fine, cluster, node, ["--token", "right"]);
        SeenBy(right, "token").ShouldBe("'viewer' has read");
        SeenBy(right, "probe put").ShouldContain("scope write");
    }

    [Thorough]
    [SmallDiskFact]
    public async Task A_disk_below_its_floor_is_critical_and_takes_no_probe()
    {
        await using var cluster = await TestCluster.CreateAsync();
        using var disk = new SmallDisk(cluster.FolderOf("a"), 64);
        var node = await cluster.StartLeaderAsync("a");
        disk.Fill();

        var run = await ExamineAsync(Broken, cluster, node, []);

        StatusOf(Found(run, "disk")).ShouldBe("warning");
        StatusOf(Found(run, "fsync")).ShouldBe("critical");
        SeenBy(run, "fsync").ShouldContain("No space left");
        StatusOf(Found(run, "probe put")).ShouldBe("critical");
        StatusOf(Found(run, "probe removed")).ShouldBe("skipped");

        disk.MakeRoom();
        var settings = SettingsOf(cluster, node);
        settings["FileTransfer__Store__FreeSpaceFloorBytes"] = "1000000000";
        var low = await ProgramRun.RunAsync(Broken, ["doctor", "--json", "--no-probe"], settings);
        StatusOf(Found(low, "disk")).ShouldBe("critical");
        Found(low, "disk").GetProperty("figures").GetProperty("floorBytes").GetDouble().ShouldBe(1e9);
    }

    [Thorough]
    [Fact]
    public async Task A_follower_that_is_down_is_missed_by_the_cluster_and_as_a_peer()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        await follower.CheckSaysAsync("membership", "healthy");
        await follower.KillAsync();

        var run = await ExamineAsync(Broken, cluster, leader, ["--peer", "b"]);

        StatusOf(Found(run, "peer b")).ShouldBe("critical");
        SeenBy(run, "peer b").ShouldContain("cannot be reached");
        SeenBy(run, "probe followed").ShouldStartWith("at a after");
        await NothingIsLeftAsync(cluster, leader);

        // It is known to be away by now.
        var warned = await ExamineAsync(Warned, cluster, leader, ["--no-probe"]);
        SeenBy(warned, "cluster").ShouldContain("b has not been heard from since");
    }

    [Thorough]
    [Fact]
    public async Task Ctrl_C_while_the_probe_is_on_its_way_removes_it_all_the_same()
    {
        const int stop = 19;
        const int goOn = 18;
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        await follower.CheckSaysAsync("membership", "healthy");
        follower.Signal(stop);

        var run = await ProgramRun.RunAsync(
            130,
            ["doctor", "--json"],
            SettingsOf(cluster, leader),
            async () => (await FilesOfDoctorAsync(leader)).Count == 1
        );

        StatusOf(Found(run, "probe removed")).ShouldBe("ok");
        follower.Signal(goOn);
        await NothingIsLeftAsync(cluster, leader, follower);
    }

    [Thorough]
    [Fact]
    public async Task A_proxy_that_lends_backends_is_found_and_a_wrong_setting_is_named()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("a");
        await using var proxy = new PoolingProxy(cluster.ConnectionString, PoolingProxy.Kind.RoundRobin, 2);
        var settings = SettingsOf(cluster, node);
        settings["ConnectionStrings__Postgres"] = proxy.ConnectionString;
        settings["FileTransfer__Downloads__Lanes"] = "many";

        var run = await ProgramRun.RunAsync(
            Broken,
            ["doctor", "--json", "--no-probe", $"--FileTransfer:DataDirectory={cluster.Folder}/nowhere"],
            settings
        );

        StatusOf(Found(run, "database")).ShouldBe("ok");
        SeenBy(run, "proxy").ShouldContain("pool_mode = session");
        SeenBy(run, "configuration").ShouldContain("FileTransfer:Downloads:Lanes is 'many'");
        SeenBy(run, "disk").ShouldContain($"no data folder {cluster.Folder}/nowhere");
        Directory.Exists($"{cluster.Folder}/nowhere").ShouldBeFalse();
    }

    private static async Task<ProgramRun> ExamineAsync(int expected, TestCluster cluster, NodeProcess node, string[] options) =>
        await ProgramRun.RunAsync(expected, ["doctor", "--json", .. options], SettingsOf(cluster, node));

    /// <summary>Those of the node, as they are where it runs.</summary>
    private static Dictionary<string, string> SettingsOf(TestCluster cluster, NodeProcess node) =>
        new()
        {
            ["FILETRANSFER_URL"] = $"{node.Url}",
            ["FileTransfer__NodeId"] = node.Id,
            ["FileTransfer__DataDirectory"] = node.DataDirectory,
            ["FileTransfer__Store__FreeSpaceFloorBytes"] = "0",
            ["ConnectionStrings__Postgres"] = cluster.ConnectionString,
        };

    private static async Task NothingIsLeftAsync(TestCluster cluster, params NodeProcess[] alive)
    {
        await Eventually.HoldsAsync(
            async () =>
                await cluster.Database.ScalarAsync<long>(
                    $"SELECT count(*) FROM filetransfer.replicas WHERE node_id = ANY ('{"{"}{string.Join(',', alive.Select(node => node.Id))}{"}"}')"
                ) == 0,
            "no replica of the probe is left"
        );
        foreach (var node in alive)
        {
            (await FilesOfDoctorAsync(node)).ShouldBeEmpty();
            Directory
                .EnumerateFiles(Path.Combine(node.DataDirectory, "content"), "*", SearchOption.AllDirectories)
                .ShouldBeEmpty();
        }
    }

    private static async Task<IReadOnlyList<JsonElement>> FilesOfDoctorAsync(NodeProcess node) =>
        [.. (await node.GetJsonAsync($"/v1/files?bucket={Bucket}")).GetProperty("files").EnumerateArray()];

    private static JsonElement Found(ProgramRun run, string check) =>
        run.Lines.Single(line => line.GetProperty("check").GetString() == check);

    private static string? StatusOf(JsonElement line) => line.GetProperty("status").GetString();

    private static string SeenBy(ProgramRun run, string check) => Found(run, check).GetProperty("seen").GetString()!;
}
