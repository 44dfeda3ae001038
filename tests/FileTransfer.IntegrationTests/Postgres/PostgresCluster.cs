using FileTransfer.IntegrationTests.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit.Sdk;
#if !USE_TESTCONTAINERS
using System.Diagnostics;
using System.Globalization;
using FileTransfer.Postgres;
#endif

[assembly: TestFramework("FileTransfer.IntegrationTests.Postgres.TestRun", "FileTransfer.IntegrationTests")]

namespace FileTransfer.IntegrationTests.Postgres;

/// <summary>One real PostgreSQL for the whole test run, started by the first test that asks for a database.</summary>
/// <example><c>await using var db = await PostgresCluster.CreateDatabaseAsync();</c></example>
public static class PostgresCluster
{
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static PrivatePostgres? _server;
    private static int _databases;

    /// <summary>An empty database of its own, without any schema; disposing drops it, whoever is still connected.</summary>
    public static async Task<TestDatabase> CreateDatabaseAsync()
    {
        var server = await ServerAsync();
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await server.ExecuteAsync($"CREATE DATABASE {name}");
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
                _server = null;
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

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Pool.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
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

/// <summary>A server of a test's own, for tests that stop and start it. Everybody else shares <see cref="PostgresCluster"/>.</summary>
/// <remarks>The connection string stays the same over <see cref="StopAsync"/> and <see cref="StartAgainAsync"/>, and so do the data.</remarks>
public sealed partial class PrivatePostgres : IAsyncDisposable
{
    public string ConnectionString { get; private set; } = "";

    public Task ExecuteAsync(string sql) => ScalarAsync<object>(sql);

    public async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync() is { } value and not DBNull ? (T)value : default;
    }

    private Task RecoveredAsync() =>
        Eventually.HoldsAsync(
            async () =>
            {
                await using var connection = new NpgsqlConnection(
                    new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString
                );
                await connection.OpenAsync();
                await using var command = new NpgsqlCommand("SELECT NOT pg_is_in_recovery()", connection);
                return (bool)(await command.ExecuteScalarAsync())!;
            },
            "the server has recovered"
        );
}

#if USE_TESTCONTAINERS
public sealed partial class PrivatePostgres
{
    private readonly Testcontainers.PostgreSql.PostgreSqlContainer _container;

    private PrivatePostgres(Testcontainers.PostgreSql.PostgreSqlContainer container) => _container = container;

    public static async Task<PrivatePostgres> StartAsync()
    {
        // A port of its own choosing would be another one after a restart.
        var container = new Testcontainers.PostgreSql.PostgreSqlBuilder()
            .WithImage("postgres:17-alpine")
            .WithPortBinding(FreePort(), Testcontainers.PostgreSql.PostgreSqlBuilder.PostgreSqlPort)
            .Build();
        await container.StartAsync();
        return new PrivatePostgres(container) { ConnectionString = container.GetConnectionString() };
    }

    public Task StopAsync() => _container.StopAsync();

    public Task StartAgainAsync() => _container.StartAsync();

    /// <summary>kill -9 of a process without which the server ends all others and recovers; then stops what is left.</summary>
    public async Task KillAsync()
    {
        await _container.ExecAsync(["sh", "-c", "kill -9 $(ps -o pid,args | awk '/postgres: checkpointer/ { print $1; exit }')"]);
        await StopAsync();
    }

    /// <summary>Restarts the server through an archive recovery, which ends on a new timeline as a promotion does.</summary>
    public async Task StartOnNewTimelineAsync()
    {
        await _container.ExecAsync([
            "sh",
            "-c",
            "echo \"restore_command = 'false'\" >> $PGDATA/postgresql.auto.conf && su postgres -c 'touch $PGDATA/recovery.signal'",
        ]);
        await StopAsync();
        await StartAgainAsync();
        await RecoveredAsync();
    }

    public ValueTask DisposeAsync() => _container.DisposeAsync();

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
#else
public sealed partial class PrivatePostgres
{
    private readonly string _folder;
    private EmbeddedPostgres? _server;

    private PrivatePostgres(string folder) => _folder = folder;

    public static async Task<PrivatePostgres> StartAsync()
    {
        var postgres = new PrivatePostgres(Directory.CreateTempSubdirectory("filetransfer-test-").FullName);
        await postgres.StartAgainAsync();
        return postgres;
    }

    public async Task StopAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
            _server = null;
        }
    }

    public async Task StartAgainAsync()
    {
        _server = await EmbeddedPostgres.StartAsync(
            Path.Combine(_folder, "postgres"),
            null,
            NullLogger.Instance,
            CancellationToken.None
        );
        ConnectionString = _server.ConnectionString;
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        var pid = (await File.ReadAllLinesAsync(Path.Combine(_folder, "postgres", "cluster", "postmaster.pid")))[0];
        using (var server = Process.GetProcessById(int.Parse(pid, CultureInfo.InvariantCulture)))
        {
            server.Kill();
        }

        await StopAsync();
    }

    /// <summary>Restarts the server through an archive recovery, which ends on a new timeline as a promotion does.</summary>
    public async Task StartOnNewTimelineAsync()
    {
        await StopAsync();
        var cluster = Path.Combine(_folder, "postgres", "cluster");
        await File.AppendAllTextAsync(Path.Combine(cluster, "postgresql.auto.conf"), "restore_command = 'false'\n");
        await File.WriteAllTextAsync(Path.Combine(cluster, "recovery.signal"), "");
        File.SetUnixFileMode(
            Path.Combine(cluster, "recovery.signal"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead
        );
        await StartAgainAsync();
        await RecoveredAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
#endif
