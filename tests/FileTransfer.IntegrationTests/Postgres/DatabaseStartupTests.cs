using System.Diagnostics;
using System.Globalization;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;
using FileTransfer.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FileTransfer.IntegrationTests.Postgres;

public sealed class DatabaseStartupTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _data = Directory.CreateTempSubdirectory("filetransfer-startup-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task Without_a_connection_string_a_private_cluster_is_ready_soon_and_gone_with_the_host()
    {
        await PostgresPrograms.NeedAsync();
        string socket;
        using (var host = HostOf(null))
        {
            await host.StartAsync();
            var database = await ReadyAsync(host);
            (await ScalarAsync(database.Pool, "SELECT 1")).ShouldBe(1);
            database.WaitingFor.ShouldBeNull();
            socket = new NpgsqlConnectionStringBuilder(database.Source.ConnectionString).Host!;
            File.Exists(Path.Combine(socket, ".s.PGSQL.5432")).ShouldBeTrue();
            await host.StopAsync();
        }

        File.Exists(Path.Combine(socket, ".s.PGSQL.5432")).ShouldBeFalse();
    }

    [Thorough]
    [Fact]
    public async Task A_private_cluster_whose_server_dies_is_started_again()
    {
        await PostgresPrograms.NeedAsync();
        using var host = HostOf(null);
        await host.StartAsync();
        var database = await ReadyAsync(host);
        var pidFile = Path.Combine(_data, "postgres", "cluster", "postmaster.pid");
        Process.GetProcessById(int.Parse(File.ReadLines(pidFile).First(), CultureInfo.InvariantCulture)).Kill();

        await Eventually(async () => Equals(await ScalarAsync(database.Pool, "SELECT 1"), 1));
        await host.StopAsync();
    }

    [Fact]
    public async Task A_database_that_is_away_is_waited_for_with_its_reason()
    {
        await using var server = await PrivatePostgres.StartAsync();
        await server.StopAsync();
        using var host = HostOf(server.ConnectionString);
        await host.StartAsync();
        var database = host.Services.GetRequiredService<Database>();
        await Eventually(() => Task.FromResult(database.WaitingFor!.Contains("connect", StringComparison.OrdinalIgnoreCase)));
        database.IsReady.ShouldBeFalse();

        await server.StartAgainAsync();
        await ReadyAsync(host);
        await host.StopAsync();
    }

    [Thorough]
    [Fact]
    public async Task After_a_restart_of_the_database_the_pool_and_new_sessions_work_and_old_sessions_know()
    {
        await using var server = await PrivatePostgres.StartAsync();
        using var host = HostOf(server.ConnectionString);
        await host.StartAsync();
        var database = await ReadyAsync(host);
        await using var session = await database.OpenSessionAsync("before", default);
        await database.PingAsync(default);

        await server.StopAsync();
        await Should.ThrowAsync<TaskCanceledException>(Task.Delay(Patience, session.Lost));
        await Should.ThrowAsync<NpgsqlException>(() => database.PingAsync(default));
        await Should.ThrowAsync<NpgsqlException>(() => database.OpenSessionAsync("away", default));

        await server.StartAgainAsync();
        await database.PingAsync(default);
        await using var next = await database.OpenSessionAsync("after", default);
        (await next.TryLockAsync(AdvisoryLockKey.FromName("after"), default)).ShouldBeTrue();
        await host.StopAsync();
    }

    [Fact]
    public async Task What_a_person_must_change_stops_the_host_and_says_what()
    {
        await using var db = await PostgresCluster.CreateDatabaseAsync();
        await using var proxy = new PoolingProxy(db.ConnectionString, PoolingProxy.Kind.LastUsedFirst, 1);
        using var host = HostOf(proxy.ConnectionString);
        await host.StartAsync();
        await host.WaitForShutdownAsync().WaitAsync(Patience);

        var database = host.Services.GetRequiredService<Database>();
        database.StartFault!.Message.ShouldContain("pool_mode = session");
        (await Should.ThrowAsync<FatalStartException>(() => database.WaitUntilReadyAsync(default))).ShouldBe(database.StartFault);
    }

    private IHost HostOf(string? connectionString)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton<AdmitCatalog>((_, _) => Task.CompletedTask);
        builder.Services.AddPostgres(connectionString, _data);
        return builder.Build();
    }

    private static async Task<Database> ReadyAsync(IHost host)
    {
        var database = host.Services.GetRequiredService<Database>();
        await database.WaitUntilReadyAsync(default).WaitAsync(Patience);
        return database;
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource pool, string sql)
    {
        await using var command = pool.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>A database that is away is not yet the fact.</summary>
    private static async Task Eventually(Func<Task<bool>> fact)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await fact())
                {
                    return;
                }
            }
            catch (NpgsqlException) when (Stopwatch.GetElapsedTime(since) < Patience) { }

            Stopwatch.GetElapsedTime(since).ShouldBeLessThan(Patience);
            await Task.Delay(5);
        }
    }
}
