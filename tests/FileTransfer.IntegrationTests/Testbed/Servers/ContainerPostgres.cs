using Testcontainers.PostgreSql;

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>Where PostgreSQL's programs are not on this machine, but a container engine is.</summary>
internal sealed class ContainerPostgres : PrivatePostgres
{
    private readonly PostgreSqlContainer _container;

    private ContainerPostgres(PostgreSqlContainer container) => _container = container;

    public static async Task<PrivatePostgres> StartNewAsync()
    {
        // A port of its own choosing would be another one after a restart.
        var container = new PostgreSqlBuilder("postgres:17-alpine")
            .WithPortBinding(PortOfOwn.Next(), PostgreSqlBuilder.PostgreSqlPort)
            .Build();
        await container.StartAsync();
        return new ContainerPostgres(container) { ConnectionString = container.GetConnectionString() };
    }

    public override Task StopAsync() => _container.StopAsync();

    public override Task StartAgainAsync() => _container.StartAsync();

    /// <summary>kill -9 of a process without which the server ends all others and recovers; then stops what is left.</summary>
    public override async Task KillAsync()
    {
        await _container.ExecAsync(["sh", "-c", "kill -9 $(ps -o pid,args | awk '/postgres: checkpointer/ { print $1; exit }')"]);
        await StopAsync();
    }

    public override async Task StartOnNewTimelineAsync()
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

    public override ValueTask DisposeAsync() => _container.DisposeAsync();
}
