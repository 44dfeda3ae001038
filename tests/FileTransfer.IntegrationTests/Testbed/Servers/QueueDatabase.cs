using FileTransfer.Catalog.Replicas;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>The tables of the product in a database of their own, and sessions on them; no process.</summary>
internal sealed class QueueDatabase : IAsyncDisposable
{
    private readonly List<LockConnection> _sessions = [];

    private QueueDatabase(TestDatabase test)
    {
        Test = test;
        Database = new Database(new DatabaseSource(test.ConnectionString, null), NullLoggerFactory.Instance, TimeProvider.System);
        Queue = new ReplicaQueue(Node);
    }

    public NodeId Node { get; } = new("b");

    public TestDatabase Test { get; }

    public Database Database { get; }

    public ReplicaQueue Queue { get; }

    public static async Task<QueueDatabase> CreateAsync()
    {
        var database = new QueueDatabase(await PostgresCluster.CreateCatalogAsync());
        await database.JoinAsync("a");
        return database;
    }

    /// <summary>Makes a node one of the cluster, heard of just now.</summary>
    public Task JoinAsync(string node) => new ForgedNode(node).AddAsync(Test);

    public async Task<LockConnection> OpenAsync(string name = "b/lane")
    {
        var session = await Database.OpenSessionAsync(name, default);
        _sessions.Add(session);
        return session;
    }

    /// <summary>A file that a node has stored, or nobody, and node b wants.</summary>
    public async Task<TestFile> WantAsync(int size = 10, string? storedAt = "a")
    {
        var file = TestFile.Of(size);
        await (storedAt is null ? file.KnowAsync(Test) : file.AddAsync(Test, storedAt));
        await new ForgedReplica("b", ReplicaState.Wanted).AddAsync(Test, file);
        return file;
    }

    public async Task<ClaimedReplica> ClaimAsync(LockConnection session, ClaimLimit? room = null) =>
        (await Queue.ClaimAsync(session, room ?? ClaimLimit.One, default))
            .ShouldBeOfType<ClaimOutcome.Claimed>()
            .Replicas.ShouldHaveSingleItem();

    /// <summary>Whether the replica was published.</summary>
    public async Task<bool> PublishAsync(LockConnection session, ClaimedReplica claim) =>
        (await Queue.PublishAsync(session, [claim], claimNext: ClaimLimit.None, default)).Published.Contains(claim.Key);

    public Task<string?> StateAsync(TestFile file) => ValueAsync<string>(file, "state");

    public Task<T?> ValueAsync<T>(TestFile file, string column) =>
        Test.ScalarAsync<T>($"SELECT {column} FROM filetransfer.replicas WHERE node_id = 'b' AND file_key = {file.KeySql}");

    public async Task<int> UpkeepAsync()
    {
        await using var connection = await Database.Pool.OpenConnectionAsync();
        return await Queue.MaintainAsync(connection, TimeSpan.FromMinutes(5), default);
    }

    public async Task<int> DeferAsync(bool asksShares = false)
    {
        await using var connection = await Database.Pool.OpenConnectionAsync();
        return await Queue.DeferUnprovidedAsync(connection, asksShares, default);
    }

    public async Task<int> LookForProvidersAsync()
    {
        await using var connection = await Database.Pool.OpenConnectionAsync();
        return await Queue.LookForProvidersAsync(connection, default);
    }

    public async Task RemoveAsync(TestFile file)
    {
        await using var connection = await Database.Pool.OpenConnectionAsync();
        await ReplicaTransitions.RemoveAsync(connection, file.Key, default);
    }

    /// <summary>Rows of these tables, and entries of their indexes, that the sessions of the product read meanwhile.</summary>
    public async Task<long> RowsReadAsync(Func<Task> work, params string[] tables)
    {
        // What the test has read itself, to make its rows, is told of before.
        await Test.ExecuteAsync("SELECT pg_stat_force_next_flush()");
        var before = await ReadAsync();
        await work();

        // A session tells what it read when it ends.
        Database.Pool.Clear();
        await Eventually.HoldsAsync(async () => await ReadAsync() > before, "the sessions have told what they read");
        return await ReadAsync() - before;

        Task<long> ReadAsync() =>
            Test.ScalarAsync<long>(
                $"""
                SELECT sum(seq_tup_read + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relid = t.relid))::bigint
                FROM pg_stat_user_tables t
                WHERE schemaname = 'filetransfer' AND relname IN ({string.Join(", ", tables.Select(table => $"'{table}'"))})
                """
            );
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var session in _sessions)
        {
            await session.DisposeAsync();
        }

        await Database.DisposeAsync();
        await Test.DisposeAsync();
    }
}
