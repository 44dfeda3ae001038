using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
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

    [Fact]
    public async Task A_static_server_shares_what_was_exported_from_a_running_node()
    {
        var node = await Cluster.StartLeaderAsync("a");
        var files = await FillAsync(node);

        (await RunAsync("export", Share, "--url", $"{node.Url}")).ShouldEndWith($"{files.Count} exported, 0 there already\n");

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

    [Fact]
    public async Task The_data_folder_of_a_stopped_node_gives_the_same_as_the_node_itself()
    {
        var node = await Cluster.StartLeaderAsync("a");
        var files = await FillAsync(node);
        await RunAsync("export", Share, "--url", $"{node.Url}");
        var other = Cluster.FolderOf("other");
        string[] export = ["export", other, "--data-directory", node.DataDirectory, "--database", Cluster.ConnectionString];

        (await RunAsync(expected: 1, export)).ShouldContain($"process {node.Pid}");
        await node.StopAsync();
        (await RunAsync(export)).ShouldEndWith($"{files.Count} exported, 0 there already\n");

        foreach (var part in files.Keys.SelectMany(_ => _parts, (key, end) => key[2..] + end))
        {
            File.ReadAllBytes(Path.Combine(other, part))
                .AsSpan()
                .SequenceEqual(File.ReadAllBytes(Path.Combine(Share, part)))
                .ShouldBeTrue(part);
        }
    }

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

    [Fact]
    public async Task Damage_in_a_data_folder_is_found_and_not_exported()
    {
        var node = await Cluster.StartLeaderAsync("a");
        var key = await node.PutAsync(new byte[5000], "damaged");
        var fingerprint = (await node.GetJsonAsync($"/v1/files/{key}")).GetProperty("fingerprint").GetString()!;
        await node.StopAsync();
        StoredOnDisk.Flip(node, fingerprint, 4000);

        var said = await RunAsync(
            expected: 65,
            "export",
            Share,
            "--data-directory",
            node.DataDirectory,
            "--database",
            Cluster.ConnectionString
        );

        said.ShouldContain(key);
        Directory.EnumerateFiles(Share).Select(Path.GetFileName).ShouldBe([".export.lock", "index.ndjson"], ignoreOrder: true);
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

    private static Task<string> RunAsync(params string[] args) => RunAsync(expected: 0, args);

    /// <summary>Runs the program and returns what it said.</summary>
    private static async Task<string> RunAsync(int expected, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(TestedProgram.Path);
        foreach (var arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        var said = await output + await error;
        process.ExitCode.ShouldBe(expected, said);
        return said;
    }
}
