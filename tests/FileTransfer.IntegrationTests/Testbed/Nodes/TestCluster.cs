using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Real nodes as real processes over one database; all that it made is gone when it is disposed.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private readonly TestDatabase? _database;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("filetransfer-nodes-");
    private readonly List<NodeProcess> _nodes = [];
    private bool _isPrivileged = true;

    private TestCluster(TestDatabase? database, string connectionString)
    {
        _database = database;
        ConnectionString = connectionString;
    }

    /// <summary>Given to the nodes that are started from now on.</summary>
    public string ConnectionString { get; set; }

    /// <summary>For the test's own statements.</summary>
    public TestDatabase Database => _database ?? throw new InvalidOperationException("The test brought a server of its own.");

    public string Folder => _folder.FullName;

    /// <summary>An empty cluster over a database of its own.</summary>
    public static async Task<TestCluster> CreateAsync()
    {
        var database = await PostgresCluster.CreateCatalogAsync();
        return new TestCluster(database, database.ConnectionString);
    }

    /// <summary>As <see cref="CreateAsync"/>, without tables: its first node makes them.</summary>
    public static async Task<TestCluster> CreateWithoutTablesAsync()
    {
        var database = await PostgresCluster.CreateDatabaseAsync();
        return new TestCluster(database, database.ConnectionString);
    }

    /// <summary>An empty cluster over a server that the test stops and starts.</summary>
    public static TestCluster Over(PrivatePostgres server) => new(null, server.ConnectionString);

    /// <summary>An empty cluster over a server that the test runs in its own way.</summary>
    public static TestCluster OverServer(string connectionString) => new(null, connectionString);

    /// <summary>From now on nodes run without what lets root read every file, a database's socket included: they reach it by a port.</summary>
    public void RunWithoutPrivileges(string connectionString) => (_isPrivileged, ConnectionString) = (false, connectionString);

    /// <summary>Starts a node; one that was there before finds its data again.</summary>
    public async Task<NodeProcess> StartAsync(string id, params (string Name, string Value)[] settings)
    {
        var node = await NodeProcess.StartAsync(
            id,
            FolderOf(id),
            ConnectionString,
            settings.ToDictionary(s => s.Name, s => s.Value),
            _isPrivileged
        );
        _nodes.Add(node);
        return node;
    }

    /// <summary>Starts a node that leads, and waits until it does.</summary>
    public async Task<NodeProcess> StartLeaderAsync(string id, params (string Name, string Value)[] settings)
    {
        var node = await StartAsync(id, settings);
        await Eventually.HoldsAsync(
            async () => (await node.GetJsonAsync("/v1/leader")).GetProperty("node").GetString() == id,
            $"{id} leads"
        );
        return node;
    }

    /// <summary>Starts a node that never leads.</summary>
    public Task<NodeProcess> StartFollowerAsync(string id, params (string Name, string Value)[] settings) =>
        StartAsync(id, [("FileTransfer__Role", "Follower"), .. settings]);

    /// <summary>Nodes of the cluster that are nothing but their names.</summary>
    public Task AddNamesAsync(params string[] nodes) =>
        Database.ExecuteAsync(
            $"""
            INSERT INTO filetransfer.nodes (node_id, configured_role, url, instance, started_at, seen_at)
            SELECT unnest('{"{"}{string.Join(
                ',',
                nodes
            )}{"}"}'::text[]), 'follower', 'http://127.0.0.1:1', gen_random_uuid(), now(), now()
            """
        );

    public string FolderOf(string id) => Path.Combine(_folder.FullName, id);

    /// <summary>Waits until a node has a file; what the node says of why it has not is told where it does not come.</summary>
    public static async Task StoredAsync(NodeProcess node, string key, TimeSpan? within = null)
    {
        try
        {
            await Eventually.HoldsAsync(
                async () => await node.StateOfAsync(key) == "stored",
                $"{key} is stored at {node.Id}",
                within
            );
        }
        catch (ShouldAssertException missing)
        {
            using var explained = await node.Http.GetAsync($"/v1/files/{key}/explain");
            throw new ShouldAssertException($"{missing.Message}\n{await explained.Content.ReadAsStringAsync()}", missing);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        if (_database is not null)
        {
            await _database.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }
}
