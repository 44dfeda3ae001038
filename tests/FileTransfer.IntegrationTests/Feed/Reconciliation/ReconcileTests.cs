using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Feed.Reconciliation;

/// <summary>A catalog that is lost, or older than the folders, comes back from what these remember.</summary>
public sealed class ReconcileTests : IAsyncLifetime
{
    private static readonly (string, string)[] _adopt = [("FileTransfer__AdoptCatalog", "true")];

    private readonly Dictionary<string, byte[]> _expected = [];
    private readonly List<string> _removed = [];
    private TestCluster? _cluster;

    private TestCluster Cluster => _cluster!;

    public async ValueTask InitializeAsync() => _cluster = await TestCluster.CreateAsync();

    public async ValueTask DisposeAsync() => await _cluster!.DisposeAsync();

    [Thorough]
    [Fact]
    public async Task A_catalog_that_is_made_anew_has_all_files_of_before_and_none_that_was_removed()
    {
        var (a, b) = await StartAsync();
        await FillAsync(a, Showing.Of(small: 24, full: 100));
        await ReplicatedAsync(b);
        await SetPolicyAsync(b);
        // A folder gets the policies as its node joins, and every half minute.
        await StopAsync(b);
        b = await Cluster.StartFollowerAsync("b");
        await LedgersFollowedAsync(a, b);
        await StopAsync(a, b);
        var before = Contents("a", "b");

        await using var empty = await PostgresCluster.CreateDatabaseAsync();
        Cluster.ConnectionString = empty.ConnectionString;
        foreach (var id in (string[])["a", "b"])
        {
            var refused = NodeProcess.Launch(id, Cluster.FolderOf(id), Cluster.ConnectionString);
            await using (refused)
            {
                await refused.WaitForExitAsync();
                refused.ExitCode.ShouldBe(78, refused.Log);
                refused.Log.ShouldContain("filetransfer reconcile");
            }
        }

        (await empty.ScalarAsync<bool>("SELECT to_regnamespace('filetransfer') IS NULL")).ShouldBeTrue(
            "a refused node wrote to it"
        );

        (a, b) = await StartAsync(_adopt);
        var plan = await ReconcileAsync(expected: 3, a, b);
        plan.ShouldContain($"{_expected.Count} to be restored");
        (await a.StateOfAsync(_expected.Keys.First())).ShouldBeNull("a dry run changed something");

        await ReconcileAsync(expected: 0, a, b, "--apply");
        await AllIsBackAsync(a, b);
        Contents("a", "b").ShouldBe(before, ignoreOrder: true);
        (await b.GetJsonAsync("/v1/buckets/0x09/policy")).GetProperty("kind").GetString().ShouldBe("nothing-except");
        (await ReconcileAsync(expected: 0, a, b, "--apply")).ShouldContain(" 0 restored");
    }

    [Thorough]
    [Fact]
    public async Task An_older_catalog_gets_what_came_after_it_and_loses_again_what_was_removed_after_it()
    {
        var (a, b) = await StartAsync();
        await FillAsync(a, files: 8);
        var removedLater = await PutAsync(a, 5000);
        await ReplicatedAsync(b);
        await StopAsync(a, b);
        await using var copy = await PostgresCluster.CreateCopyAsync(Cluster.Database);

        (a, b) = await StartAsync();
        await FillAsync(a, files: 8);
        await RemoveAsync(a, removedLater);
        await ReplicatedAsync(b);
        await LedgersFollowedAsync(a, b);
        await StopAsync(a, b);
        var before = Contents("a", "b");

        Cluster.ConnectionString = copy.ConnectionString;
        (a, b) = await StartAsync(_adopt);
        (await ReconcileAsync(expected: 3, a, b)).ShouldContain("1 to be removed again");

        // Until all who were members are in, or written off, nothing is collected.
        (await RunAsync(expected: 3, ["reconcile", .. Urls(a), "--apply"])).Error.ShouldContain("Not looked at: b");
        (await IsHeldAsync(a)).ShouldBeTrue();
        await ReconcileAsync(expected: 0, a, b, "--apply");
        (await IsHeldAsync(a)).ShouldBeFalse();

        await AllIsBackAsync(a, b);
        Contents("a", "b").ShouldBe(before, ignoreOrder: true);
    }

    [Thorough]
    [Fact]
    public async Task The_folder_of_a_stopped_node_counts_too()
    {
        var (a, b) = await StartAsync();
        await FillAsync(a, files: 6);
        await ReplicatedAsync(b);
        await LedgersFollowedAsync(a, b);
        await StopAsync(a, b);
        await using var empty = await PostgresCluster.CreateDatabaseAsync();
        Cluster.ConnectionString = empty.ConnectionString;

        // A leader that has lost its folder as well: only the other's has the files.
        Directory.Move(Cluster.FolderOf("a"), Cluster.FolderOf("a-lost"));
        a = await Cluster.StartLeaderAsync("a");
        string[] folder = ["--data-directory", Cluster.FolderOf("b")];
        await ReconcileAsync(expected: 0, a, null, [.. folder, "--apply"]);
        b = await Cluster.StartFollowerAsync("b", _adopt);
        await AllIsBackAsync(a, b);
    }

    [Thorough]
    [Fact]
    public async Task What_cannot_be_decided_is_listed_and_a_person_restores_or_discards_it()
    {
        var (a, b) = await StartAsync();
        await FillAsync(a, files: 2);
        var lost = await PutAsync(a, 100_000);
        await ReplicatedAsync(b);
        await LedgersFollowedAsync(a, b);
        await StopAsync(a, b);
        _expected.Remove(lost);
        foreach (var content in Directory.EnumerateFiles(Cluster.Folder, "*", SearchOption.AllDirectories))
        {
            if (new FileInfo(content) is { LinkTarget: null, Length: 100_000 })
            {
                Damage(content);
            }
        }

        await using var empty = await PostgresCluster.CreateDatabaseAsync();
        Cluster.ConnectionString = empty.ConnectionString;
        (a, b) = await StartAsync(_adopt);
        (await ReconcileAsync(expected: 3, a, b, "--apply")).ShouldContain($"undecided\t{lost}");
        await AllIsBackAsync(a, b);

        (await RunAsync(expected: 5, ["reconcile", "restore", lost, .. Urls(a, b)])).Error.ShouldContain("cannot be restored");
        await RunAsync(expected: 0, ["reconcile", "discard", lost, .. Urls(a, b)]);
        (await ReconcileAsync(expected: 0, a, b, "--apply")).ShouldContain(" 0 undecided");
        (await a.StateOfAsync(lost)).ShouldBeNull();
    }

    private async Task<(NodeProcess A, NodeProcess B)> StartAsync(params (string, string)[] settings) =>
        (await Cluster.StartLeaderAsync("a", settings), await Cluster.StartFollowerAsync("b", settings));

    private static async Task StopAsync(params NodeProcess[] nodes)
    {
        foreach (var node in nodes)
        {
            (await node.StopAsync()).ShouldBe(0, node.Log);
        }
    }

    /// <summary>Files of both kinds, some of them removed, some of those added again.</summary>
    private async Task FillAsync(NodeProcess leader, int files)
    {
        for (var i = 0; i < files; i++)
        {
            var key = await PutAsync(leader, i % 8 == 0 ? 200_000 + i : 3000 + i);
            if (i % 4 == 1)
            {
                var content = _expected[key];
                await RemoveAsync(leader, key);
                if (i % 8 == 1)
                {
                    (await leader.PutAsync(content, $"file {content.Length}")).ShouldBe(key);
                    _removed.Remove(key);
                    _expected.Add(key, content);
                }
            }
        }
    }

    private async Task<string> PutAsync(NodeProcess leader, int size)
    {
        var content = PlainFile.RandomBytes(size);
        var key = await leader.PutAsync(content, $"file {size}");
        _expected.Add(key, content);
        return key;
    }

    private async Task RemoveAsync(NodeProcess leader, string key)
    {
        using var answer = await leader.Http.DeleteAsync($"/v1/files/{key}");
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        _expected.Remove(key);
        _removed.Add(key);
    }

    private async Task ReplicatedAsync(NodeProcess follower)
    {
        foreach (var key in _expected.Keys)
        {
            await TestCluster.StoredAsync(follower, key);
        }

        await Eventually.HoldsAsync(
            async () =>
                await Cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.replicas WHERE state = 'removing'")
                == 0,
            "what was removed is gone"
        );
    }

    private static async Task SetPolicyAsync(NodeProcess node)
    {
        using var answer = await node.Http.PutAsJsonAsync(
            "/v1/buckets/0x09/policy?wait=60",
            new { kind = "nothing-except", filters = (string[])["prefix:utf8:kept/"] }
        );
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>The ledgers follow the feed by themselves: until they know every position.</summary>
    private async Task LedgersFollowedAsync(params NodeProcess[] nodes)
    {
        foreach (var node in nodes)
        {
            await Eventually.HoldsAsync(
                async () =>
                {
                    var lines = (await node.Http.GetStringAsync("/v1/reconcile/folder"))
                        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                        .Select(line => JsonDocument.Parse(line).RootElement)
                        .ToList();
                    var files = lines
                        .Where(line => line.TryGetProperty("file", out _))
                        .Select(line => line.GetProperty("file"))
                        .ToDictionary(file => file.GetProperty("key").GetString()!);
                    var hasPolicies =
                        node.Id != "b"
                        || lines[0].GetProperty("folder").GetProperty("policies").GetArrayLength() > 0
                        || (await node.GetJsonAsync("/v1/buckets/0x09/policy")).GetProperty("changedAt").ValueKind
                            == JsonValueKind.Null;
                    return hasPolicies
                        && _expected.Keys.All(key => files.TryGetValue(key, out var file) && file.TryGetProperty("added", out _))
                        && _removed.All(key => files.TryGetValue(key, out var file) && file.TryGetProperty("removed", out _));
                },
                $"the folder of {node.Id} knows every Add and every removal"
            );
        }
    }

    private static async Task<bool> IsHeldAsync(NodeProcess node) =>
        (await node.GetJsonAsync("/v1/orphans")).GetProperty("heldSince").ValueKind == JsonValueKind.String;

    private async Task AllIsBackAsync(params NodeProcess[] nodes)
    {
        foreach (var node in nodes)
        {
            foreach (var (key, content) in _expected)
            {
                await TestCluster.StoredAsync(node, key);
                (await node.Http.GetByteArrayAsync($"/v1/files/{key}/content")).ShouldBe(content);
            }

            foreach (var key in _removed)
            {
                ((await node.StateOfAsync(key)) ?? "absent").ShouldBe("absent");
            }
        }
    }

    /// <summary>The contents in the folders, each with what identifies its bytes from the first one on.</summary>
    private IReadOnlyList<string> Contents(params string[] nodes) =>
        [.. nodes.SelectMany(node => StoredOnDisk.ContentsIn(Cluster.FolderOf(node)).Select(line => $"{node} {line}"))];

    private static void Damage(string path)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        Span<byte> one = stackalloc byte[1];
        RandomAccess.Read(file, one, 70_000);
        one[0] ^= 1;
        RandomAccess.Write(file, one, 70_000);
    }

    private static string[] Urls(params NodeProcess?[] nodes) =>
        [.. nodes.OfType<NodeProcess>().SelectMany(node => (string[])["--url", $"{node.Url}"])];

    private static async Task<string> ReconcileAsync(int expected, NodeProcess a, NodeProcess? b, params string[] options)
    {
        var (output, _) = await RunAsync(expected, ["reconcile", .. Urls(a, b), .. options]);
        return output;
    }

    private static async Task<(string Output, string Error)> RunAsync(int expected, params string[] arguments)
    {
        var (code, output, error) = await ExecuteAsync("dotnet", [TestedProgram.Path, .. arguments]);
        code.ShouldBe(expected, output + error);
        return (output, error);
    }

    private static async Task<(int Code, string Output, string Error)> ExecuteAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return (process.ExitCode, await output, await error);
    }
}
