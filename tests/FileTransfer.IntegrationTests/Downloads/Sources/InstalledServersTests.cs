using System.Text.Json;
using FileTransfer.Contracts;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Wants.Loads;

namespace FileTransfer.IntegrationTests.Downloads.Sources;

/// <summary>Shares behind the servers that most people have, configured as docs/shares.md says; each that is installed.</summary>
public sealed class InstalledServersTests(InstalledServersTests.Servers servers) : IClassFixture<InstalledServersTests.Servers>
{
    [Theory]
    [InlineData("nginx")]
    [InlineData("apache2")]
    [InlineData("lighttpd")]
    [InlineData("caddy")]
    public async Task A_share_behind_it_is_loaded_whole(string name)
    {
        Assert.SkipWhen(StaticServer.ProgramOf(name) is null, $"{name} is not installed here.");
        var files = servers.Files[name];

        await servers.Node.LoadAsync(name, LoadNode.Order(files, 120, rounds: 3));

        var load = await servers.Node.EndOfLoadAsync(name);
        load.Text("state").ShouldBe("stored", $"{load}");
        load.GetProperty("sources").EnumerateArray().ShouldAllBe(source => source.GetProperty("corrupt").GetInt32() == 0);
        foreach (var file in files)
        {
            (await servers.Node.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content"))
                .AsSpan()
                .SequenceEqual(file.Content)
                .ShouldBeTrue();
        }
    }

    /// <summary>A node and all of the servers, each with files that no other one has.</summary>
    public sealed class Servers : IAsyncLifetime
    {
        // A server of another user reads it, too.
        private readonly string _root = Directory
            .CreateDirectory(Path.Combine(Path.GetTempPath(), $"filetransfer-shares-{Guid.NewGuid():N}"))
            .FullName;
        private readonly List<StaticServer> _running = [];
        private TestCluster _cluster = null!;

        internal Dictionary<string, TestFile[]> Files { get; } = [];

        public NodeProcess Node { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            var settings = new List<(string, string)>();
            foreach (
                var name in new[] { "nginx", "apache2", "lighttpd", "caddy" }.Where(one =>
                    StaticServer.ProgramOf(one) is not null
                )
            )
            {
                Files[name] = [TestFile.Of(1), TestFile.Of(70_000), TestFile.Of(5_000_000)];
                var folder = Directory.CreateDirectory(Path.Combine(_root, name)).FullName;
                foreach (var file in Files[name])
                {
                    var path = Path.Combine(folder, file.Key.ToHex());
                    await File.WriteAllBytesAsync(path, file.Content);
                    await File.WriteAllBytesAsync(path + ".hashes", file.Hashes);
                    var description = FileDescription.Of(file.Metadata);
                    await File.WriteAllBytesAsync(
                        path + ".json",
                        JsonSerializer.SerializeToUtf8Bytes(description, SparseJson.Default.FileDescription)
                    );
                }

                var server = await StaticServer.StartAsync(folder, name);
                settings.Add(($"FileTransfer__Sources__{_running.Count}__Name", name));
                settings.Add(($"FileTransfer__Sources__{_running.Count}__Url", $"{server.Http.BaseAddress}"));
                _running.Add(server);
            }

            _cluster = await TestCluster.CreateAsync();
            Node = await _cluster.StartLeaderAsync("a", [.. settings]);
        }

        public async ValueTask DisposeAsync()
        {
            await _cluster.DisposeAsync();
            foreach (var server in _running)
            {
                await server.DisposeAsync();
            }

            Directory.Delete(_root, recursive: true);
        }
    }
}
