using System.Net;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>The recipes of docs/operations.md lose no file, bring none back that was removed, and delete no content on the way.</summary>
public sealed class DatabaseRecipeTests
{
    private static readonly (string, string)[] _adopt = [("FileTransfer__AdoptCatalog", "true")];

    /// <summary>Contents are collected as soon as that is allowed at all.</summary>
    private static readonly (string, string)[] _eager = [("FileTransfer__Store__OrphanGrace", "00:00:00")];

    private static readonly string[] _programs = ["pg_dump", "pg_restore", "pg_basebackup", "createdb", "psql"];

    private static readonly Recipe _reconcile = Recipe.Named("A catalog that is lost, or older than the folders");
    private static readonly Recipe _restoreDump = Recipe.Named("Restore a dump");
    private static readonly Recipe _move = Recipe.Named("Move the database");

    [Thorough]
    [Fact]
    public async Task A_backup_brings_all_files_back_also_those_that_came_after_it()
    {
        await PostgresPrograms.NeedAsync(_programs);
        await using var server = await PostgresServer.StartNewAsync();
        await server.ExecuteAsync("CREATE DATABASE filetransfer");
        await using var cluster = TestCluster.OverServer(StringTo(server));
        var files = new KeptFiles(cluster);
        var (a, b) = await StartAsync(cluster);
        await files.FillAsync(a, 6);
        await files.RemoveAsync(a, await files.PutAsync(a));
        await files.AreAllAtAsync(a, b);
        await RunAsync(Recipe.Named("Back up"), 0, server, server.Host);

        await files.RemoveAsync(a, files.Keys.First());
        await files.FillAsync(a, 6);
        await files.RemoveAsync(a, await files.PutAsync(a));
        await files.AreAllAtAsync(a, b);
        await StopAsync(a, b);
        var contents = files.Contents("a", "b");

        await using var restored = await PostgresServer.InNewFolderAsync();
        await RunAsync(Recipe.Named("Restore a base backup"), 0, restored, server.Host);
        await restored.StartAsync();
        await TakesWritesAsync(restored);
        cluster.ConnectionString = StringTo(restored);
        (a, b) = await StartAsync(cluster);
        await ReconcileAsync(server, a, b);
        await files.AreAllAtAsync(a, b);
        files.Contents("a", "b").ShouldBe(contents, ignoreOrder: true);
        await StopAsync(a, b);

        await RunAsync(_restoreDump, 0, server, server.Host);
        await RunAsync(_restoreDump, 1, server, server.Host);
        cluster.ConnectionString = StringTo(server);
        await using (var refused = NodeProcess.Launch("a", cluster.FolderOf("a"), cluster.ConnectionString))
        {
            await refused.WaitForExitAsync();
            refused.ExitCode.ShouldBe(78, refused.Log);
        }

        (a, b) = await StartAsync(cluster, _adopt);
        await ReconcileAsync(server, a, b);
        await files.AreAllAtAsync(a, b);
        files.Contents("a", "b").ShouldBe(contents, ignoreOrder: true);

        // The history of the dump had gone on before: its numbers are not given out a second time under its name.
        (await server.ScalarAsync<long>("SELECT count(*) FROM filetransfer.feed_epochs", "filetransfer")).ShouldBe(2);
    }

    [Thorough]
    [Fact]
    public async Task A_database_that_moves_loses_nothing_and_a_node_that_was_forgotten_on_the_old_one_stops_leading()
    {
        await PostgresPrograms.NeedAsync(_programs);
        await using var shared = await PostgresServer.StartNewAsync();
        await using var cluster = TestCluster.OverServer("");
        var files = new KeptFiles(cluster);
        var a = await cluster.StartLeaderAsync("a", _eager);
        await files.FillAsync(a, 4);
        await files.RemoveAsync(a, await files.PutAsync(a));
        await StopAsync(a);
        var contents = files.Contents("a");

        // From the private one to a shared one.
        await Recipe
            .Named("From the private database to a shared one")
            .RunAsync(
                0,
                shared.Programs,
                null,
                ("DATA", a.DataDirectory),
                ("PORT", $"{PortOfOwn.Next()}"),
                ("BACKUP", cluster.Folder)
            );
        File.Copy(Path.Combine(cluster.Folder, "catalog.dump"), Path.Combine(shared.Host, "catalog.dump"));
        await RunAsync(_restoreDump, 1, shared, shared.Host);
        cluster.ConnectionString = StringTo(shared);
        await using var wire = new RequestWire();
        (string, string)[] address = [("FileTransfer__AdvertisedUrl", wire.Address.ToString()), .. _eager];
        a = await cluster.StartLeaderAsync("a", [.. _eager, .. _adopt]);
        var b = await cluster.StartAsync("b", address);
        wire.LeadTo(b.Url);
        (await ReconcileAsync(shared, a, b)).ShouldContain(" 0 restored");
        await files.AreAllAtAsync(a, b);

        // By a standby: nobody adopts anything.
        await using var next = await PostgresServer.InNewFolderAsync();
        await RunAsync(_move, 0, shared, "", next);
        await next.StartAsync();
        await files.FillAsync(a, 2);
        await files.AreAllAtAsync(a, b);
        await StopAsync(b, a);
        await shared.StopAsync();
        await RunAsync(_move, 1, next, "");
        cluster.ConnectionString = StringTo(next);
        a = await cluster.StartLeaderAsync("a", _eager);
        b = await cluster.StartAsync("b", address);
        wire.LeadTo(b.Url);
        await files.FillAsync(a, 2);
        await files.AreAllAtAsync(a, b);

        // By a dump, while one of the nodes is forgotten on the old server.
        await StopAsync(b);
        await RunAsync(_move, 2, next, next.Host);
        await using var last = await PostgresServer.StartNewAsync();
        File.Copy(Path.Combine(next.Host, "catalog.dump"), Path.Combine(last.Host, "catalog.dump"));
        await RunAsync(_restoreDump, 1, last, last.Host);
        await files.FillAsync(a, 2);
        cluster.ConnectionString = StringTo(last);
        b = await cluster.StartLeaderAsync("b", [.. address, .. _adopt]);
        wire.LeadTo(b.Url);
        await a.SaysAsync("superseded");
        (await a.Http.GetAsync("/v1/leader")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await b.GetJsonAsync("/v1/leader")).GetProperty("node").GetString().ShouldBe("b");
        await files.FillAsync(b, 2);
        await StopAsync(a);
        a = await cluster.StartAsync("a", [.. _eager, .. _adopt]);
        await ReconcileAsync(last, a, b);
        await files.AreAllAtAsync(a, b);
        contents.Except(files.Contents("a")).Count().ShouldBeLessThanOrEqualTo(1, "that of the removed file");
    }

    private static async Task<(NodeProcess A, NodeProcess B)> StartAsync(
        TestCluster cluster,
        params (string, string)[] settings
    ) =>
        (
            await cluster.StartLeaderAsync("a", [.. _eager, .. settings]),
            await cluster.StartFollowerAsync("b", [.. _eager, .. settings])
        );

    private static async Task StopAsync(params NodeProcess[] nodes)
    {
        foreach (var node in nodes)
        {
            (await node.StopAsync()).ShouldBe(0, node.Log);
        }
    }

    private static async Task<string> ReconcileAsync(PostgresServer server, NodeProcess a, NodeProcess b)
    {
        var output = await _reconcile.RunAsync(0, server.Programs, null, ("NODE_A", $"{a.Url}"), ("NODE_B", $"{b.Url}"));
        foreach (var node in new[] { a, b })
        {
            (await node.GetJsonAsync("/v1/orphans")).GetProperty("heldSince").GetString().ShouldBeNull();
        }

        return output;
    }

    /// <summary>What is done at the machine of <paramref name="server"/>, or of <paramref name="to"/>, by the server's user.</summary>
    private static Task<string> RunAsync(
        Recipe recipe,
        int block,
        PostgresServer server,
        string backup,
        PostgresServer? to = null
    ) =>
        recipe.RunAsync(
            block,
            server.Programs,
            (to ?? server).AsItsUser,
            ("CATALOG", server.LibpqTo("filetransfer")),
            ("SERVER", server.LibpqTo()),
            ("STANDBY", server.LibpqTo()),
            ("PGDATA", (to ?? server).Data),
            ("ARCHIVE", Path.Combine(server.Host, "archive")),
            ("BACKUP", backup)
        );

    private static string StringTo(PostgresServer server) => PostgresServer.ConnectionStringTo(server.Host, "filetransfer");

    private static Task TakesWritesAsync(PostgresServer server) =>
        Eventually.HoldsAsync(() => server.ScalarAsync<bool>("SELECT NOT pg_is_in_recovery()"), "its recovery has ended");
}
