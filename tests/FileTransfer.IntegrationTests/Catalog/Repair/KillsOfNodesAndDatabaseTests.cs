using System.Text.Json;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Catalog.Repair;

/// <summary>
/// The trial of a night: leader, followers and PostgreSQL are killed by chance while clients upload and remove; at the end everything that
/// must hold is looked at from outside.
/// </summary>
public sealed class KillsOfNodesAndDatabaseTests(ITestOutputHelper output)
{
    private static readonly string[] _ids = ["a", "b", "c"];

    [Thorough]
    [Fact]
    public async Task Kills_of_leader_followers_and_database_under_load_lose_nothing_bring_nothing_back_and_leave_no_gap()
    {
        var seed = Environment.TickCount & 0xFFFF;
        var random = new Random(seed);
        await using var server = await PrivatePostgres.StartAsync();
        await using var cluster = TestCluster.Over(server);
        var nodes = new Dictionary<string, NodeProcess>();
        foreach (var id in _ids)
        {
            nodes[id] = await cluster.StartAsync(id);
        }

        NodeProcess? leader = null;
        var load = new UploadLoad(seed);
        using var stop = new CancellationTokenSource();
        var sending = load.RunAsync(() => leader, clients: 2, stop.Token);

        var kills = Showing.Of(3, 60);
        for (var kill = 0; kill < kills; kill++)
        {
            var enough = load.Confirmed + random.Next(3, 15);
            await Eventually.HoldsAsync(
                async () =>
                {
                    load.Limit = load.Known.Count + 10;
                    return (leader = await LeaderAsync(nodes)) is not null && load.Confirmed >= enough;
                },
                $"clients are served again after kill {kill} (seed {seed})",
                TimeSpan.FromSeconds(90)
            );
            await KillAsync(kill, random, server, cluster, nodes, leader!);
        }

        await Eventually.HoldsAsync(
            async () => (leader = await LeaderAsync(nodes)) is not null,
            "somebody leads",
            TimeSpan.FromSeconds(60)
        );
        await stop.CancelAsync();
        await sending;
        foreach (var node in nodes.Values)
        {
            await load.HoldsAtAsync(node, TimeSpan.FromSeconds(60));
            HasOnlyWhatIsRight(node);
        }

        (await GapsAsync(server)).ShouldBe(0);
        output.WriteLine($"{kills} kills, {load.Known.Count} files, {load.Confirmed} answers; seed {seed}");
        Showing.Tell("kills of nodes and database under load, nothing lost", kills);
    }

    /// <summary>Kills one, and starts it again. What is killed in an ordinary run is not left to chance.</summary>
    private static async Task KillAsync(
        int kill,
        Random random,
        PrivatePostgres server,
        TestCluster cluster,
        Dictionary<string, NodeProcess> nodes,
        NodeProcess leader
    )
    {
        switch (kill < 3 ? kill : random.Next(4))
        {
            case 0:
                await AgainAsync(leader.Id);
                break;
            case 1:
                await server.KillAsync();
                await server.StartAgainAsync();
                break;
            default:
                await AgainAsync(_ids.Where(id => id != leader.Id).ElementAt(random.Next(2)));
                break;
        }

        async Task AgainAsync(string id)
        {
            await nodes[id].KillAsync();
            nodes[id] = await cluster.StartAsync(id);
        }
    }

    private static async Task<NodeProcess?> LeaderAsync(Dictionary<string, NodeProcess> nodes)
    {
        using var response = await nodes["a"].Http.GetAsync("/v1/leader");
        if (!response.IsSuccessStatusCode)
        {
            return null;
        }

        using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return nodes[answer.RootElement.GetProperty("node").GetString()!];
    }

    /// <summary>Every content on the disk is what its name says.</summary>
    private static void HasOnlyWhatIsRight(NodeProcess node)
    {
        foreach (
            var path in Directory.EnumerateFiles(Path.Combine(node.DataDirectory, "content"), "*", SearchOption.AllDirectories)
        )
        {
            if (Fingerprint.TryParse(Path.GetFileName(path), out var fingerprint))
            {
                ContentFingerprint.Of(File.ReadAllBytes(path)).ShouldBe(fingerprint, $"{path} of {node.Id}");
            }
        }

        foreach (var (name, _, bytes) in StoredOnDisk.Rows(node.DataDirectory))
        {
            ContentFingerprint.Of(bytes).ToHex().ShouldBe(name, $"a row of {node.Id}");
        }
    }

    /// <summary>Bins whose sequences are not 1, 2, 3 … up to their head.</summary>
    private static async Task<long> GapsAsync(PrivatePostgres server) =>
        await server.ScalarAsync<long>(
            """
            SELECT count(*) FROM filetransfer.bins
            WHERE head <> (SELECT count(*) FROM filetransfer.mutations WHERE mutations.bin = bins.bin)
               OR head <> (SELECT coalesce(max(sequence), 0) FROM filetransfer.mutations WHERE mutations.bin = bins.bin)
            """
        );
}
