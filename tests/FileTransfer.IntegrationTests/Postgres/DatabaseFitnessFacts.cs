using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Postgres;

public sealed class DatabaseFitnessFacts
{
    [Fact]
    public async Task A_server_that_is_reached_directly_is_fit()
    {
        await using var db = await PostgresCluster.CreateDatabaseAsync();
        (await CheckAsync(db.ConnectionString)).ShouldBeNull();
    }

    [Fact]
    public async Task A_proxy_that_leaves_each_client_its_backend_is_fit_and_locks_can_be_held_through_it()
    {
        await using var db = await PostgresCluster.CreateDatabaseAsync();
        await using var proxy = new PoolingProxy(db.ConnectionString, PoolingProxy.Kind.Session, 0);
        (await CheckAsync(proxy.ConnectionString)).ShouldBeNull();

        await using var database = new Database(
            new DatabaseSource(proxy.ConnectionString, null),
            NullLoggerFactory.Instance,
            TimeProvider.System
        );
        await using var session = await database.OpenSessionAsync("through a proxy", default);
        await using var lease = await LockLease.TryAcquireAsync(session, AdvisoryLockKey.FromName("through a proxy"), default);
        (await lease!.ProveAsync(default)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("LastUsedFirst", 1)]
    [InlineData("LastUsedFirst", 2)]
    [InlineData("LastUsedFirst", 5)]
    [InlineData("RoundRobin", 2)]
    public async Task A_proxy_that_lends_backends_per_transaction_is_refused(string kind, int backends)
    {
        await using var db = await PostgresCluster.CreateDatabaseAsync();
        await using var proxy = new PoolingProxy(db.ConnectionString, Enum.Parse<PoolingProxy.Kind>(kind), backends);
        var refusal = await Should.ThrowAsync<FatalStartException>(CheckAsync(proxy.ConnectionString));
        refusal.Message.ShouldContain("pool_mode = session");
    }

    [Fact]
    public async Task A_database_that_takes_no_writes_is_waited_for_with_a_reason()
    {
        await using var db = await PostgresCluster.CreateDatabaseAsync();
        await db.ExecuteAsync(
            """DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$"""
        );
        (await CheckAsync(db.ConnectionString))!.ShouldContain("default_transaction_read_only");
    }

    [Theory]
    [InlineData(14, false)]
    [InlineData(15, true)]
    [InlineData(18, true)]
    public void A_server_older_than_15_is_refused(int major, bool fit)
    {
        var check = () => DatabaseFitness.RefuseOldServer(new Version(major, 4));
        if (fit)
        {
            check.ShouldNotThrow();
        }
        else
        {
            check.ShouldThrow<FatalStartException>().Message.ShouldContain("15 or newer");
        }
    }

    [Theory]
    [InlineData("Hots=db")]
    [InlineData("Database=filetransfer")]
    [InlineData("Host=db;Port=many")]
    [InlineData("postgresql://user:secret@db/filetransfer")]
    public void A_connection_string_that_is_none_is_refused_with_one_to_write_instead(string text)
    {
        var refusal = Should.Throw<FatalStartException>(() => DatabaseSource.Of(text, "data"));
        refusal.Message.ShouldContain("Host=");
        refusal.Message.ShouldNotContain("secret");
    }

    private static Task<string?> CheckAsync(string connectionString) =>
        DatabaseFitness.CheckAsync(connectionString, NullLoggerFactory.Instance, CancellationToken.None);
}
