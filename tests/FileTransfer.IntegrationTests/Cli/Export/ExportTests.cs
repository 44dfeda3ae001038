using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using FileTransfer.Chunks.Durability;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Cli.Export;

/// <summary>What an export writes is what any web server can share: whole, by ranges, and provable.</summary>
public sealed class ExportTests : IAsyncLifetime
{
    private const int MiB = 1024 * 1024;
    private static readonly string[] _parts = ["", ".hashes", ".json"];

    private TestCluster? _cluster;

    private TestCluster Cluster => _cluster!;

    private string Share => Cluster.FolderOf("share");

    public async ValueTask InitializeAsync() => _cluster = await TestCluster.CreateAsync();

    public async ValueTask DisposeAsync() => await _cluster!.DisposeAsync();

    [Thorough]
    [Fact]
    public async Task A_static_server_shares_what_was_exported_from_a_running_node()
    {
        var node = await Cluster.StartLeaderAsync("a");
        var files = await FillAsync(node);

        await CutAsync(node, files.Keys.Last(), "-TERM", code: 143);
        await CutAsync(node, files.Keys.Last(), "-KILL", code: 137);

        (await RunAsync("export", Share, "--url", $"{node.Url}")).ShouldContain(" exported, ");

        Directory.EnumerateFiles(Share, ".*.partial").ShouldBeEmpty();
        await using var server = await StaticServer.StartAsync(Share);
        foreach (var (key, content) in files)
        {
            var name = key[2..];
            (await server.Http.GetByteArrayAsync(name)).AsSpan().SequenceEqual(content).ShouldBeTrue();
            (await server.Http.GetByteArrayAsync(name + ".hashes")).ShouldBe(
                await node.Http.GetByteArrayAsync($"/v1/files/{key}/hashes")
            );
            await ShouldServeRangesAsync(server, name, content);
            await ShouldRegisterAsync(node, key, await server.Http.GetStringAsync(name + ".json"));
        }
    }

    [Thorough]
    [Fact]
    public async Task The_data_folder_of_a_stopped_node_gives_the_same_as_the_node_itself()
    {
        var node = await Cluster.StartLeaderAsync("a");
        var files = await FillAsync(node);
        await RunAsync("export", Share, "--url", $"{node.Url}");
        var other = Cluster.FolderOf("other");
        string[] export = ["export", other, "--data-directory", node.DataDirectory, "--database", Cluster.ConnectionString];

        (await RunAsync(export, expected: 1)).ShouldContain($"process {node.Pid}");
        await node.StopAsync();
        (await RunAsync([.. export, "--leave-free", "1TiB"], expected: 1)).ShouldContain("must stay free");
        (await RunAsync(export)).ShouldContain($"{files.Count} exported (");

        foreach (var part in files.Keys.SelectMany(_ => _parts, (key, end) => key[2..] + end))
        {
            File.ReadAllBytes(Path.Combine(other, part))
                .AsSpan()
                .SequenceEqual(File.ReadAllBytes(Path.Combine(Share, part)))
                .ShouldBeTrue(part);
        }

        // Only what is asked for so is the store's own file.
        var content = Directory
            .EnumerateFiles(Path.Combine(node.DataDirectory, "content"), "*", SearchOption.AllDirectories)
            .Single(path => new FileInfo(path).Length == (5 * MiB) + 7);
        var shared = files.Keys.Last()[2..];
        FileIdentity.TryOf(Path.Combine(other, shared))!.Value.Inode.ShouldNotBe(FileIdentity.TryOf(content)!.Value.Inode);
        File.Delete(Path.Combine(other, shared));
        (await RunAsync([.. export, "--link"])).ShouldContain("1 exported (1 by link), 2 there already");
        FileIdentity.TryOf(Path.Combine(other, shared))!.Value.Inode.ShouldBe(FileIdentity.TryOf(content)!.Value.Inode);
    }

    [Thorough]
    [ReflinkDiskFact]
    public async Task Where_the_disk_can_a_share_has_the_blocks_of_the_store_and_neither_changes_with_the_other()
    {
        using var disk = new ReflinkDisk(Cluster.FolderOf("disk"));
        var node = await Cluster.StartLeaderAsync("a", [("FileTransfer__DataDirectory", disk.At("data"))]);
        var files = await FillAsync(node);
        await node.StopAsync();
        var free = disk.BytesFree;
        string[] export = ["export", disk.At("share"), "--data-directory", disk.At("data"), "--leave-free", "1MiB"];

        (await RunAsync([.. export, "--database", Cluster.ConnectionString])).ShouldContain(
            "3 exported (1 by copy, 2 by reflink)"
        );

        disk.BytesFree.ShouldBeGreaterThan(free - (4 * MiB));
        var shared = Path.Combine(disk.At("share"), files.Keys.Last()[2..]);
        File.ReadAllBytes(shared).ShouldBe(files.Values.Last());
        await File.WriteAllBytesAsync(shared, [1]);
        (await RunAsync([.. export, "--database", Cluster.ConnectionString])).ShouldContain("1 exported (1 by reflink)");
    }

    [Thorough]
    [Fact]
    public async Task The_private_database_of_a_data_folder_is_started_for_its_export()
    {
        await using var node = await NodeProcess.StartAsync("a", Cluster.FolderOf("a"), connectionString: "");
        await Eventually.HoldsAsync(
            async () => (await node.Http.GetAsync("/v1/leader")).StatusCode == HttpStatusCode.OK,
            "the node leads"
        );
        var key = await node.PutAsync([1, 2, 3], "one");
        await node.StopAsync();

        (await RunAsync("export", Share, "--data-directory", node.DataDirectory)).ShouldContain($"exported {key} one\n");

        File.ReadAllBytes(Path.Combine(Share, key[2..])).ShouldBe([1, 2, 3]);
    }

    [Thorough]
    [Fact]
    public async Task Damage_in_a_data_folder_is_found_and_not_exported()
    {
        var node = await Cluster.StartLeaderAsync("a");
        var key = await node.PutAsync(new byte[5000], "damaged");
        var fingerprint = (await node.GetJsonAsync($"/v1/files/{key}")).GetProperty("fingerprint").GetString()!;
        await node.StopAsync();
        StoredOnDisk.Flip(node, fingerprint, 4000);

        var said = await RunAsync(
            ["export", Share, "--data-directory", node.DataDirectory, "--database", Cluster.ConnectionString],
            expected: 65
        );

        said.ShouldContain(key);
        Directory.EnumerateFiles(Share).Select(Path.GetFileName).ShouldBe([".export.lock", "index.ndjson"], ignoreOrder: true);
    }

    /// <summary>Ends an export in mid-file; what has come of the file stays.</summary>
    private async Task CutAsync(NodeProcess node, string key, string signal, int code)
    {
        await RunAsync("limits", "set", "--upload", "1MiB/s", "--url", $"{node.Url}");
        using var export = Process.Start(
            new ProcessStartInfo("dotnet", [TestedProgram.Path, "export", Share, key, "--url", $"{node.Url}"])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var partial = new FileInfo(Path.Combine(Share, $".{key[2..]}.partial"));
        var before = partial.Exists ? partial.Length : 0;
        await Eventually.HoldsAsync(
            () =>
            {
                partial.Refresh();
                return Task.FromResult(partial.Exists && partial.Length > before);
            },
            "more of the file has come"
        );
        using var kill = Process.Start("kill", [signal, $"{export.Id}"]);
        await export.WaitForExitAsync();
        export.ExitCode.ShouldBe(code);
        partial.Refresh();
        partial.Length.ShouldBeInRange(before + 1, (5 * MiB) + 6);
        await RunAsync("limits", "delete", "--url", $"{node.Url}");
    }

    private static async Task<Dictionary<string, byte[]>> FillAsync(NodeProcess node)
    {
        var files = new Dictionary<string, byte[]>();
        foreach (var size in new[] { 1, 100_000, (5 * MiB) + 7 })
        {
            var content = new byte[size];
            new Random(size).NextBytes(content);
            files[await node.PutAsync(content, $"file of {size}")] = content;
        }

        return files;
    }

    private static async Task ShouldServeRangesAsync(StaticServer server, string name, byte[] content)
    {
        var (from, to) = (content.Length / 3, content.Length / 2);
        using var request = new HttpRequestMessage(HttpMethod.Get, name) { Headers = { { "Range", $"bytes={from}-{to}" } } };
        using var part = await server.Http.SendAsync(request);

        part.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        part.Content.Headers.ContentRange!.ToString().ShouldBe($"bytes {from}-{to}/{content.Length}");
        (await part.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(content.AsSpan(from..(to + 1))).ShouldBeTrue();
    }

    /// <summary>Without its key the metadata is the body of a registration.</summary>
    private static async Task ShouldRegisterAsync(NodeProcess node, string key, string json)
    {
        var body = JsonNode.Parse(json)!.AsObject();
        body["key"]!.GetValue<string>().ShouldBe(key);
        body.Remove("key");
        using var response = await node.RegisterAsync(key, body);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
    }

    private static Task<string> RunAsync(params string[] args) => RunAsync(args, expected: 0);

    /// <summary>Runs the program and returns what it said.</summary>
    private static async Task<string> RunAsync(string[] args, int expected)
    {
        var (code, said) = await TestedProgram.RunAsync(args).WaitAsync(TimeSpan.FromMinutes(3));
        code.ShouldBe(expected, said);
        return said;
    }
}
