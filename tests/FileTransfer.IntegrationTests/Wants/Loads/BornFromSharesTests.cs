using System.Diagnostics;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Wants.Loads;

/// <summary>Nodes with databases of their own and nothing but folders on web servers, of which one is rotten.</summary>
public sealed class BornFromSharesTests : IAsyncLifetime
{
    private static readonly int _files = Showing.Of(small: 10, full: 50);
    private static readonly int _size = Showing.Of(small: 1_000_000, full: 10_000_000);

    private readonly List<TestCluster> _clusters = [];
    private readonly List<TestFile> _contents = [];
    private StaticServer _good = null!;
    private StaticServer _bad = null!;

    private string Good => _clusters[0].FolderOf("good");

    private string Bad => _clusters[0].FolderOf("bad");

    [Thorough]
    [Fact]
    public async Task A_snapshot_is_loaded_whole_from_two_shares_of_which_one_rots_and_the_report_names_it_and_what_it_wasted()
    {
        var names = new Dictionary<string, string>();
        var alone = await LoadAsync("c", names, ("good", _good));

        var both = await LoadAsync("d", names, ("bad", _bad), ("good", _good));

        var source = both.Load.GetProperty("sources").EnumerateArray().First();
        source.Text("source").ShouldBe("share bad");
        source.GetProperty("corrupt").GetInt32().ShouldBeGreaterThan(0);
        source.GetProperty("wastedBytes").GetInt64().ShouldBeInRange(1, (long)_files * _size);
        source.Text("reason").ShouldContain("share 'bad'");
        Showing.Tell(
            "loading from two shares of which one rots, against the good one alone",
            both.Took / alone.Took,
            1.3,
            "times"
        );

        // Small contents on a busy machine are told from each other by chance alone.
        both.Took.TotalSeconds.ShouldBeLessThan((alone.Took.TotalSeconds * Showing.Of(5, 1.3)) + Showing.Of(10, 0));
    }

    [Thorough]
    [Fact]
    public async Task A_cluster_is_born_from_the_index_of_a_share_as_far_as_keys_prove_it()
    {
        var index = Path.Combine(Good, "index.ndjson");
        var lines = await File.ReadAllLinesAsync(index);
        lines
            .Select(line => JsonDocument.Parse(line).RootElement.Text("label"))
            .ShouldBe(_contents.Select(one => one.Location), ignoreOrder: true);
        var forged = lines[0].Replace("file ", "other ", StringComparison.Ordinal);
        await File.AppendAllTextAsync(index, forged + "\n");
        var node = await StartAsync("n", ("good", _good));

        var adopted = await TestedProgram.RunAsync("adopt", "good", "--url", $"{node.Url}");

        adopted.Code.ShouldBe(65, adopted.Out);
        adopted.Out.ShouldContain($"{_files} files, {(long)_files * _size} bytes");
        adopted.Out.ShouldContain("1 not proven");
        foreach (var file in _contents)
        {
            await TestCluster.StoredAsync(node, $"{file.Key}");
        }

        var status = await TestedProgram.RunAsync("adopt", "good", "--bucket", "0x77", "--url", $"{node.Url}");
        status.Out.ShouldContain("0 files, 0 bytes");
        (await TestedProgram.RunAsync("adopt", "other", "--url", $"{node.Url}")).Code.ShouldBe(5);
    }

    public async ValueTask InitializeAsync()
    {
        var cluster = await TestCluster.CreateAsync();
        _clusters.Add(cluster);
        var node = await cluster.StartLeaderAsync("a");
        for (var i = 0; i < _files; i++)
        {
            var file = TestFile.Of(_size);
            _contents.Add(file);
            await node.PutAsync(file.Content, file.Location);
        }

        var exported = await TestedProgram.RunAsync("export", Good, "--url", $"{node.Url}");
        exported.Code.ShouldBe(0, exported.Out);
        await node.StopAsync();
        Directory.CreateDirectory(Bad);
        foreach (var path in Directory.EnumerateFiles(Good))
        {
            File.Copy(path, Path.Combine(Bad, Path.GetFileName(path)));
        }

        foreach (var file in _contents.Where((_, index) => index % 3 == 0))
        {
            await using var content = File.OpenWrite(Path.Combine(Bad, file.Key.ToHex()));
            content.Position = _size / 2;
            content.Write([(byte)(file.Content[_size / 2] ^ 1)]);
        }

        (_good, _bad) = (await StaticServer.StartAsync(Good), await StaticServer.StartAsync(Bad));
    }

    public async ValueTask DisposeAsync()
    {
        await _good.DisposeAsync();
        await _bad.DisposeAsync();
        foreach (var cluster in Enumerable.Reverse(_clusters))
        {
            await cluster.DisposeAsync();
        }
    }

    private async Task<NodeProcess> StartAsync(string id, params (string Name, StaticServer Server)[] shares)
    {
        var cluster = await TestCluster.CreateAsync();
        _clusters.Add(cluster);
        return await cluster.StartLeaderAsync(
            id,
            [
                .. shares.SelectMany<(string Name, StaticServer Server), (string, string)>(
                    (share, index) =>
                        [
                            ($"FileTransfer__Sources__{index}__Name", share.Name),
                            ($"FileTransfer__Sources__{index}__Url", $"{share.Server.Http.BaseAddress}"),
                        ]
                ),
            ]
        );
    }

    /// <summary>What the program makes of it: labels and keys in a file, and a report at the end.</summary>
    private async Task<(JsonElement Load, TimeSpan Took)> LoadAsync(
        string id,
        Dictionary<string, string> names,
        params (string Name, StaticServer Server)[] shares
    )
    {
        var node = await StartAsync(id, shares);
        foreach (var file in _contents)
        {
            names[file.Location] = $"{file.Key}";
        }

        var order = _clusters[0].FolderOf("state-17.json");
        await File.WriteAllTextAsync(order, JsonSerializer.Serialize(new { files = names }));
        var clock = Stopwatch.StartNew();
        var (code, said) = await TestedProgram.RunAsync(
            "load",
            order,
            "--deadline",
            "5m",
            "--wait",
            "--json",
            "--url",
            $"{node.Url}"
        );
        clock.Stop();
        code.ShouldBe(0, said);
        var load = JsonDocument.Parse(said).RootElement;
        load.Text("name").ShouldBe("state-17");
        load.GetProperty("labels").EnumerateObject().Count().ShouldBe(_files);
        (await node.Http.GetByteArrayAsync($"/v1/files/{_contents[0].Key}/content")).ShouldBe(_contents[0].Content);
        return (load, clock.Elapsed);
    }
}
