using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>One real PostgreSQL for the whole test run, started by the first test that asks for a database.</summary>
/// <example><c>await using var db = await PostgresCluster.CreateDatabaseAsync();</c></example>
public static class PostgresCluster
{
    /// <summary>A database with the tables of the product that nobody is connected to.</summary>
    private const string Template = "catalog";

    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static PrivatePostgres? _server;
    private static bool _hasTemplate;
    private static int _databases;

    /// <summary>An empty database of its own, without any schema; disposing drops it, whoever is still connected.</summary>
    public static async Task<TestDatabase> CreateDatabaseAsync()
    {
        var server = await ServerAsync();
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await server.ExecuteAsync($"CREATE DATABASE {name}");
        return new TestDatabase(server, name);
    }

    /// <summary>A database of its own with the tables of the product and nothing in them: what a node makes of an empty one at its start.</summary>
    public static async Task<TestDatabase> CreateCatalogAsync()
    {
        var server = await ServerAsync();
        await MakeTemplateAsync(server);
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await server.ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {Template}");
        return new TestDatabase(server, name);
    }

    /// <summary>A copy of a database as it is now, as a backup that is restored; nobody else may be connected to the original.</summary>
    public static async Task<TestDatabase> CreateCopyAsync(TestDatabase original)
    {
        var server = await ServerAsync();
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await original.ReleaseAsync();
        await server.ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {original.Name}");
        return new TestDatabase(server, name);
    }

    internal static async Task StopAsync()
    {
        await Gate.WaitAsync();
        try
        {
            if (_server is not null)
            {
                await _server.DisposeAsync();
                (_server, _hasTemplate) = (null, false);
            }
        }
        finally
        {
            Gate.Release();
        }
    }

    private static async Task MakeTemplateAsync(PrivatePostgres server)
    {
        await Gate.WaitAsync();
        try
        {
            if (!_hasTemplate)
            {
                await server.ExecuteAsync($"CREATE DATABASE {Template}");
                await using var pool = NpgsqlDataSource.Create(
                    new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = Template, Pooling = false }
                );
                await new SchemaMigrator(pool, NullLogger<SchemaMigrator>.Instance).MigrateAsync(default);
                _hasTemplate = true;
            }
        }
        finally
        {
            Gate.Release();
        }
    }

    private static async Task<PrivatePostgres> ServerAsync()
    {
        await Gate.WaitAsync();
        try
        {
            return _server ??= await PrivatePostgres.StartAsync();
        }
        finally
        {
            Gate.Release();
        }
    }
}

/// <summary>A database of one test class or test.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly PrivatePostgres _server;
    private readonly string _name;

    internal TestDatabase(PrivatePostgres server, string name)
    {
        _server = server;
        _name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name }.ConnectionString;
        Pool = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(ConnectionString) { ApplicationName = "test", MaxPoolSize = 10 }
        );
    }

    public string Name => _name;

    public string ConnectionString { get; }

    /// <summary>For the test's own statements: a side view that the code under test does not share.</summary>
    public NpgsqlDataSource Pool { get; }

    public async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var command = Pool.CreateCommand(sql);
        return await command.ExecuteScalarAsync() is { } value and not DBNull ? (T)value : default;
    }

    /// <remarks>A test's own statement takes its locks in an order of its own: the one that PostgreSQL ends in a deadlock is sent again.</remarks>
    public async Task ExecuteAsync(string sql)
    {
        for (var left = 3; ; left--)
        {
            try
            {
                await using var command = Pool.CreateCommand(sql);
                await command.ExecuteNonQueryAsync();
                return;
            }
            catch (PostgresException fault) when (fault.SqlState == PostgresErrorCodes.DeadlockDetected && left > 0)
            {
                Console.WriteLine($"Sent again, {left} times at most: {fault.MessageText}");
            }
        }
    }

    /// <summary>Ends the test's own connections; the next statement makes one again.</summary>
    internal async Task ReleaseAsync()
    {
        await _server.ExecuteAsync($"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{_name}'");
        Pool.Clear();
    }

    /// <summary>Ends a backend as an administrator or a failover would.</summary>
    public async Task TerminateAsync(int backendPid) =>
        (await ScalarAsync<bool>($"SELECT pg_terminate_backend({backendPid}, 5000)")).ShouldBeTrue();

    public async ValueTask DisposeAsync()
    {
        await Pool.DisposeAsync();
        await _server.ExecuteAsync($"DROP DATABASE IF EXISTS {_name} WITH (FORCE)");
    }
}
