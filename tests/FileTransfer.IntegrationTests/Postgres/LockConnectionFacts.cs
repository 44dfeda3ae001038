using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FileTransfer.IntegrationTests.Postgres;

/// <summary>A database of its own for each fact about sessions that hold locks.</summary>
public abstract class LockConnectionFacts : IAsyncLifetime
{
    protected static readonly AdvisoryLockKey Key = AdvisoryLockKey.FromName("a lock of the test");
    protected static readonly TimeSpan Soon = TimeSpan.FromSeconds(15);

    protected TestDatabase Db { get; private set; } = null!;

    protected Database Database { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Db = await PostgresCluster.CreateDatabaseAsync();
        Database = new Database(new DatabaseSource(Db.ConnectionString, null), NullLoggerFactory.Instance, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await Db.DisposeAsync();
    }

    protected Task<LockConnection> OpenAsync() => Database.OpenSessionAsync("lease", default);

    protected static Task RunAsync(LockConnection session, string sql) => ScalarAsync(session, sql);

    protected static Task<int?> ScalarAsync(LockConnection session, string sql) =>
        session.UseAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                return await command.ExecuteScalarAsync(token) as int?;
            },
            default
        );

    /// <summary>Waits until the session's own reading of the socket has begun.</summary>
    protected static Task ListeningAsync(LockConnection session) =>
        Eventually.HoldsAsync(() => Task.FromResult(session.IsListening), "the session reads its socket");

    /// <summary>The delay ends early, by the token, or the fact did not come about in time.</summary>
    protected static Task FiredAsync(CancellationToken lost) => Should.ThrowAsync<TaskCanceledException>(Task.Delay(Soon, lost));
}
