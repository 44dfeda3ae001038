using System.Text.Json;
using FileTransfer.Chunks.Folder;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Npgsql;

namespace FileTransfer.IntegrationTests.Cluster;

/// <summary>A catalog that is not the folder's own deletes nothing there, and nothing is written to it.</summary>
public sealed class CatalogGateTests
{
    private const int MustBeChanged = 78;

    /// <summary>Contents are collected as soon as that is allowed at all.</summary>
    private static readonly (string, string)[] _eager = [("FileTransfer__Store__OrphanGrace", "00:00:00")];

    [Thorough]
    [Fact]
    public async Task A_mistyped_database_is_refused_untouched_and_an_adopted_one_deletes_nothing_until_a_person_says_so()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("a", _eager);
        foreach (var number in Enumerable.Range(0, 5))
        {
            await node.PutAsync(TestFile.Of(2000 + number).Content, $"file {number}");
        }

        await node.StopAsync();
        await using var empty = await PostgresCluster.CreateDatabaseAsync();

        await using var refused = NodeProcess.Launch("a", cluster.FolderOf("a"), empty.ConnectionString);
        await RefusedAsync(refused, "a database without a catalog", "feed epoch");
        (await empty.ScalarAsync<bool>("SELECT to_regnamespace('filetransfer') IS NULL")).ShouldBeTrue();

        // The catalog of somebody else, on the same server.
        cluster.ConnectionString = empty.ConnectionString;
        var other = await cluster.StartLeaderAsync("other");
        await using var refusedAgain = NodeProcess.Launch("a", cluster.FolderOf("a"), empty.ConnectionString);
        await RefusedAsync(refusedAgain, "a catalog with feed epoch", "feed epoch");
        (await empty.ScalarAsync<long>("SELECT count(*) FROM filetransfer.nodes")).ShouldBe(1);
        await using var renamed = NodeProcess.Launch("b", cluster.FolderOf("a"), cluster.Database.ConnectionString);
        await RefusedAsync(renamed, "node 'b' of cluster 'default'", "node 'a' of cluster 'default'");
        ContentsOf(cluster, "a").ShouldBe(5);
        await other.StopAsync();

        var adopted = await cluster.StartAsync("a", [.. _eager, ("FileTransfer__AdoptCatalog", "true")]);
        await Eventually.HoldsAsync(async () => await OrphansCheckAsync(adopted) == "Degraded", "health says what waits");
        var orphans = await adopted.GetJsonAsync("/v1/orphans");
        orphans.GetProperty("count").GetInt32().ShouldBe(5);
        orphans.GetProperty("heldBecause").GetString()!.ShouldContain("was adopted");
        orphans
            .GetProperty("orphans")
            .EnumerateArray()
            .SelectMany(orphan => orphan.GetProperty("files").EnumerateArray())
            .Select(file => file.GetProperty("location").GetString())
            .ShouldBe(Enumerable.Range(0, 5).Select(number => $"file {number}"), ignoreOrder: true);
        await adopted.StopAsync();
        NodeFile.ReadOf(cluster.FolderOf("a"))!.Hold.ShouldNotBeNull();

        // The word was for one start; its hold stays.
        var later = await cluster.StartAsync("a", _eager);
        await Eventually.HoldsAsync(async () => await OrphansCheckAsync(later) == "Degraded", "it still waits");
        ContentsOf(cluster, "a").ShouldBe(5);

        using var discarded = await later.Http.DeleteAsync("/v1/orphans");
        (await discarded.EnsureSuccessStatusCode().Content.ReadAsStringAsync()).ShouldContain("\"count\":5");
        ContentsOf(cluster, "a").ShouldBe(0);
        (await OrphansCheckAsync(later)).ShouldBe("Healthy");
    }

    [Thorough]
    [Fact]
    public async Task A_backup_restored_under_running_nodes_stops_them_and_deletes_nothing()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var nodes = new[] { await cluster.StartLeaderAsync("a", _eager), await cluster.StartFollowerAsync("b", _eager) };
        await TestCluster.StoredAsync(nodes[1], await nodes[0].PutAsync(TestFile.Of(2000).Content, "before"));
        foreach (var node in nodes)
        {
            await node.StopAsync();
        }

        var name = new NpgsqlConnectionStringBuilder(cluster.ConnectionString).Database!;
        cluster.Database.Pool.Clear();
        await ExecuteAsync(cluster, $"CREATE DATABASE {name}_backup TEMPLATE {name}");
        nodes = [await cluster.StartLeaderAsync("a", _eager), await cluster.StartFollowerAsync("b", _eager)];
        foreach (var number in Enumerable.Range(0, 3))
        {
            var key = await nodes[0].PutAsync(TestFile.Of(3000 + number).Content, $"after {number}");
            await TestCluster.StoredAsync(nodes[1], key);
        }

        await Eventually.HoldsAsync(
            () => Task.FromResult(nodes.All(node => NodeFile.ReadOf(node.DataDirectory)!.BinHeads.Sum() == 4)),
            "both folders know how far the catalog is"
        );
        await ExecuteAsync(cluster, $"DROP DATABASE {name} WITH (FORCE)");
        await ExecuteAsync(cluster, $"ALTER DATABASE {name}_backup RENAME TO {name}");

        foreach (var node in nodes)
        {
            await RefusedAsync(node, "3 mutations of the feed behind where it was seen", "it as it was seen at");
            ContentsOf(cluster, node.Id).ShouldBe(4);
        }

        // Adopted, it is not the same history any more, and the second folder is refused as well until it is adopted too.
        var adopted = await cluster.StartLeaderAsync("a", [.. _eager, ("FileTransfer__AdoptCatalog", "true")]);
        (await cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.feed_epochs")).ShouldBe(2);
        await adopted.PutAsync(TestFile.Of(5000).Content, "another");
        await using var second = NodeProcess.Launch("b", cluster.FolderOf("b"), cluster.ConnectionString);
        await RefusedAsync(second, "a catalog with feed epoch", "feed epoch");
        ContentsOf(cluster, "a").ShouldBe(5);
        ContentsOf(cluster, "b").ShouldBe(4);
    }

    [Thorough]
    [Fact]
    public async Task A_copy_of_the_catalog_that_has_grown_past_what_the_folder_saw_is_refused_and_the_one_it_saw_is_not()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("a", _eager);
        await node.PutAsync(TestFile.Of(2000).Content, "before");
        await node.StopAsync();
        var original = new NpgsqlConnectionStringBuilder(cluster.ConnectionString);
        cluster.Database.Pool.Clear();
        await ExecuteAsync(cluster, $"CREATE DATABASE {original.Database}_copy TEMPLATE {original.Database}");
        node = await cluster.StartLeaderAsync("a", _eager);
        var after = TestFile.Of(3000).Content;
        await node.PutAsync(after, "after");
        await node.StopAsync();

        // The very same mutation, and more: no sequence tells the copy from the one that was seen.
        var copy = new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { Database = $"{original.Database}_copy" };
        cluster.ConnectionString = copy.ConnectionString;
        var other = await cluster.StartLeaderAsync("other");
        await other.PutAsync(after, "after");
        await other.PutAsync(TestFile.Of(4000).Content, "another");
        await other.StopAsync();
        await using var refused = NodeProcess.Launch("a", cluster.FolderOf("a"), copy.ConnectionString);
        await RefusedAsync(refused, "a copy of the catalog whose feed went another way", "the one whose feed was seen at");
        ContentsOf(cluster, "a").ShouldBe(2);

        cluster.ConnectionString = original.ConnectionString;
        await cluster.StartLeaderAsync("a", _eager);
        await ExecuteAsync(cluster, $"DROP DATABASE {copy.Database} WITH (FORCE)");
    }

    [Thorough]
    [Fact]
    public async Task A_promoted_server_goes_on_with_a_new_history_begun_once_and_nothing_is_lost()
    {
        await using var server = await PrivatePostgres.StartAsync();
        await using var cluster = TestCluster.Over(server);
        var leader = await cluster.StartLeaderAsync("a", _eager);
        var follower = await cluster.StartFollowerAsync("b", _eager);
        var before = await leader.PutAsync(TestFile.Of(2000).Content, "before");
        await TestCluster.StoredAsync(follower, before);
        var epoch = NodeFile.ReadOf(leader.DataDirectory)!.FeedEpoch;

        await server.StartOnNewTimelineAsync();

        string? after = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    after = await leader.PutAsync(TestFile.Of(3000).Content, "after");
                    return true;
                }
                catch (ShouldAssertException)
                {
                    return false;
                }
            },
            "it leads again"
        );
        await TestCluster.StoredAsync(follower, after!);
        await Eventually.HoldsAsync(
            () =>
                Task.FromResult(
                    new[] { leader, follower }.All(node =>
                        NodeFile.ReadOf(node.DataDirectory) is { Timeline: 2, Hold: null } now && now.FeedEpoch != epoch
                    )
                ),
            "both folders have the new history, and nothing is held that nothing waits for"
        );
        NodeFile.ReadOf(leader.DataDirectory)!.FeedEpoch.ShouldBe(NodeFile.ReadOf(follower.DataDirectory)!.FeedEpoch);
        ContentsOf(cluster, "a").ShouldBe(2);
        ContentsOf(cluster, "b").ShouldBe(2);
    }

    [Thorough]
    [Fact]
    public async Task A_folder_of_before_is_accepted_where_the_catalog_knows_its_contents_and_nowhere_else()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("a");
        await node.PutAsync(TestFile.Of(2000).Content, "one");
        await node.StopAsync();
        File.Delete(Path.Combine(node.DataDirectory, "node.json"));

        await using var stranger = NodeProcess.Launch("b", cluster.FolderOf("a"), cluster.ConnectionString);
        await RefusedAsync(stranger, "does not know most contents of this folder", "one that does");
        await cluster.StartLeaderAsync("a");
        NodeFile.ReadOf(cluster.FolderOf("a"))!.Node.ShouldBe("a");
    }

    private static async Task RefusedAsync(NodeProcess node, string found, string expected)
    {
        await node.WaitForExitAsync();
        node.ExitCode.ShouldBe(MustBeChanged, node.Log);
        node.Log.ShouldContain(found);
        node.Log.ShouldContain(expected);
        node.Log.ShouldContain("Nothing was written to that database, and nothing was deleted here");
        node.Log.ShouldContain("filetransfer serve --adopt-catalog");
        node.Log.ShouldContain("filetransfer reconcile");
        node.Log.ShouldContain("set ConnectionStrings:Postgres");
    }

    private static int ContentsOf(TestCluster cluster, string node) => StoredOnDisk.ContentsIn(cluster.FolderOf(node)).Count;

    private static async Task<string?> OrphansCheckAsync(NodeProcess node)
    {
        using var response = await node.Http.GetAsync("/health/ready");
        using var health = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return health.RootElement.TryGetProperty("checks", out var checks) && checks.TryGetProperty("orphans", out var check)
            ? Capital(check.GetProperty("status").GetString()!)
            : null;
    }

    private static string Capital(string word) => char.ToUpperInvariant(word[0]) + word[1..];

    /// <summary>From another database of the same server.</summary>
    private static async Task ExecuteAsync(TestCluster cluster, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(cluster.ConnectionString)
            {
                Database = "postgres",
                Pooling = false,
                CommandTimeout = 60,
            }.ConnectionString
        );
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
