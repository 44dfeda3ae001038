using FileTransfer.IntegrationTests.Testbed.Nodes;
using Npgsql;

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>A server of a test's own, for tests that stop and start it. Everybody else shares <see cref="PostgresCluster"/>.</summary>
/// <remarks>The connection string stays the same over <see cref="StopAsync"/> and <see cref="StartAgainAsync"/>, and so do the data.</remarks>
public abstract class PrivatePostgres : IAsyncDisposable
{
    public string ConnectionString { get; protected set; } = "";

    public static async Task<PrivatePostgres> StartAsync() =>
        await PostgresPrograms.AreHereAsync() ? await LocalPostgres.StartNewAsync() : await ContainerPostgres.StartNewAsync();

    public abstract Task StopAsync();

    public abstract Task StartAgainAsync();

    /// <summary>kill -9.</summary>
    public abstract Task KillAsync();

    /// <summary>Restarts the server through an archive recovery, which ends on a new timeline as a promotion does.</summary>
    public abstract Task StartOnNewTimelineAsync();

    public abstract ValueTask DisposeAsync();

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

    protected Task RecoveredAsync() =>
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
