using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Wants.Loads;

namespace FileTransfer.IntegrationTests.Exports;

/// <summary>A node writes shares itself, below the folder that its configuration names and nowhere else.</summary>
public sealed class ExportRouteTests : IAsyncLifetime
{
    private const int MiB = 1024 * 1024;

    private TestCluster _cluster = null!;

    private string Folder => _cluster.FolderOf("shares");

    public async ValueTask InitializeAsync() => _cluster = await TestCluster.CreateAsync();

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task What_is_stored_is_written_below_the_configured_folder_and_no_name_leads_out_of_it()
    {
        var node = await StartAsync();
        var files = new Dictionary<string, byte[]>();
        foreach (var size in new[] { 1, 100_000, (3 * MiB) + 1 })
        {
            var file = TestFile.Of(size);
            files[await node.PutAsync(file.Content, file.Location)] = file.Content;
        }

        foreach (var name in new[] { "../out", "..", ".", "a/b", "/etc", "", ".hidden" })
        {
            await (await PostAsync(node, new { name })).ReadProblemAsync("bad-request");
        }

        var done = await ExportAsync(node, new { name = "mirror" });

        done.Text("state").ShouldBe("done", $"{done}");
        done.Text("folder").ShouldBe(Path.Combine(Folder, "mirror"));
        done.GetProperty("exported").EnumerateObject().Sum(means => means.Value.GetInt32()).ShouldBe(3);
        done.GetProperty("files").GetInt64().ShouldBe(3);
        done.GetProperty("bytesDone").GetInt64().ShouldBe(files.Values.Sum(content => content.Length));
        foreach (var (key, content) in files)
        {
            (await File.ReadAllBytesAsync(Path.Combine(Folder, "mirror", key[2..]))).ShouldBe(content);
        }

        using var removed = await node.Http.DeleteAsync($"/v1/files/{files.Keys.First()}");
        removed.EnsureSuccessStatusCode();
        var held = await ExportAsync(
            node,
            new
            {
                name = "mirror",
                prune = true,
                hold = "01:00:00",
            }
        );
        (held.GetProperty("kept").GetInt32(), held.GetProperty("held").GetInt32()).ShouldBe((2, 1));
        (await node.Http.GetAsync($"/v1/files/{files.Keys.First()}/content")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await File.ReadAllLinesAsync(Path.Combine(Folder, "mirror", "index.ndjson"))).Length.ShouldBe(2);

        // A link that somebody has put there is not followed, and a folder that is gone is not made up for.
        var out_ = Directory.CreateDirectory(_cluster.FolderOf("out")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(Folder, "way"), out_);
        (await ExportAsync(node, new { name = "way" })).Text("reason").ShouldContain("is a link");
        Directory.EnumerateFileSystemEntries(out_).ShouldBeEmpty();
        Directory.Move(Folder, Folder + ".away");
        (await ExportAsync(node, new { name = "mirror" })).Text("reason").ShouldContain("is not there");
        Directory.Exists(Folder).ShouldBeFalse();
        (await node.GetJsonAsync("/v1/exports")).GetProperty("exports").GetArrayLength().ShouldBe(2);
    }

    [Thorough]
    [Fact]
    public async Task One_runs_at_a_time_and_is_cancelled_for_real_and_a_node_without_a_folder_writes_none()
    {
        var node = await StartAsync();
        await node.PutAsync([1, 2, 3], "one");
        (await node.Http.PostAsJsonAsync("/v1/workers/exports/pause", new { })).EnsureSuccessStatusCode();
        (await PostAsync(node, new { name = "mirror" })).StatusCode.ShouldBe(HttpStatusCode.Created);
        var refused = await (await PostAsync(node, new { name = "other" })).ReadProblemAsync("export-running");
        refused.Text("name").ShouldBe("mirror");

        using var ended = await node.Http.DeleteAsync("/v1/exports/mirror");

        (await ended.Content.ReadFromJsonAsync<JsonElement>()).Text("state").ShouldBe("cancelled");
        Directory.EnumerateFileSystemEntries(Folder).ShouldBeEmpty();
        (await node.Http.PostAsync("/v1/workers/exports/resume", null)).EnsureSuccessStatusCode();
        (await ExportAsync(node, new { name = "mirror" })).Text("state").ShouldBe("done");
        await (await node.Http.DeleteAsync("/v1/exports/other")).ReadProblemAsync("export-unknown");

        await using var server = await RunningServer.StartAsync();
        await (await server.Client.PostAsJsonAsync("/v1/exports", new { name = "mirror" })).ReadProblemAsync(
            "exports-not-configured"
        );
    }

    [Thorough]
    [SmallDiskFact]
    public async Task A_disk_of_a_share_that_is_full_ends_the_export_alone_and_it_goes_on_once_there_is_room()
    {
        using var disk = new SmallDisk(Folder, 10);
        var node = await StartAsync(("FileTransfer__Store__FreeSpaceFloorBytes", "1000000"));
        var file = TestFile.Of(4 * MiB);
        await node.PutAsync(file.Content, file.Location);
        disk.Fill(6 * MiB);

        var failed = await ExportAsync(node, new { name = "mirror" });

        failed.Text("state").ShouldBe("failed");
        failed.Text("reason").ShouldContain("1000000 must stay free");
        await node.CheckSaysAsync("disk", "healthy");
        disk.MakeRoom();
        (await ExportAsync(node, new { name = "mirror" })).Text("state").ShouldBe("done");
    }

    [Thorough]
    [SmallDiskFact]
    public async Task A_disk_that_can_have_no_more_files_ends_the_export_in_the_middle_and_it_goes_on_once_it_can()
    {
        using var disk = new SmallDisk(Folder, 64);
        var node = await StartAsync(("FileTransfer__Store__FreeSpaceFloorBytes", "0"));
        foreach (var size in new[] { 1, 300_000, 2 * MiB })
        {
            var file = TestFile.Of(size);
            await node.PutAsync(file.Content, file.Location);
        }

        // The share, its lock, and the three parts of one file.
        disk.UseUpInodes(left: 5);

        var failed = await ExportAsync(node, new { name = "mirror" });

        failed.Text("state").ShouldBe("failed", $"{failed}");
        failed.Text("reason").ShouldContain("No space left");
        disk.Allow("nr_inodes=100000");
        var done = await ExportAsync(node, new { name = "mirror" });
        done.Text("state").ShouldBe("done", $"{done}");
        (await File.ReadAllLinesAsync(Path.Combine(Folder, "mirror", "index.ndjson"))).Length.ShouldBe(3);
    }

    [Thorough]
    [Fact]
    public async Task An_export_of_a_node_that_is_killed_goes_on_by_itself_when_the_node_runs_again()
    {
        var node = await StartAsync();
        var file = TestFile.Of(96 * MiB);
        var key = await node.PutAsync(file.Content, file.Location);
        (await PostAsync(node, new { name = "mirror" })).StatusCode.ShouldBe(HttpStatusCode.Created);
        var content = Path.Combine(Folder, "mirror", key[2..]);
        var partial = new FileInfo(Path.Combine(Folder, "mirror", $".{key[2..]}.partial"));
        SpinWait.SpinUntil(
            () =>
            {
                partial.Refresh();
                return (partial.Exists && partial.Length > MiB) || File.Exists(content);
            },
            TimeSpan.FromSeconds(60)
        );

        await node.KillAsync();

        File.Exists(content).ShouldBeFalse("it was to be killed before the end");
        node = await StartAsync();
        var done = await EndOfAsync(node, "/v1/exports/mirror");
        done.Text("state").ShouldBe("done", $"{done}");
        (await File.ReadAllBytesAsync(content)).AsSpan().SequenceEqual(file.Content).ShouldBeTrue();
        Directory.EnumerateFiles(Path.GetDirectoryName(content)!, "*.partial").ShouldBeEmpty();

        // Once it has ended it is not begun again.
        await node.KillAsync();
        node = await StartAsync();
        (await node.GetJsonAsync("/v1/exports")).GetProperty("exports").GetArrayLength().ShouldBe(0);
    }

    private Task<NodeProcess> StartAsync(params (string, string)[] settings)
    {
        Directory.CreateDirectory(Folder);
        return _cluster.StartLeaderAsync("a", [("FileTransfer__ExportFolder", Folder), .. settings]);
    }

    private static Task<HttpResponseMessage> PostAsync(NodeProcess node, object order) =>
        node.Http.PostAsJsonAsync("/v1/exports", order);

    /// <summary>An export at its end.</summary>
    private static async Task<JsonElement> ExportAsync(NodeProcess node, object order)
    {
        using var begun = await PostAsync(node, order);
        begun.StatusCode.ShouldBe(HttpStatusCode.Created, await begun.Content.ReadAsStringAsync());
        return await EndOfAsync(node, $"{begun.Headers.Location}");
    }

    private static async Task<JsonElement> EndOfAsync(NodeProcess node, string path)
    {
        JsonElement export = default;
        await Eventually.HoldsAsync(
            async () => (export = await node.GetJsonAsync(path)).Text("state") != "running",
            "the export has ended"
        );
        return export;
    }
}
