using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Postgres;

public sealed class DatabaseCompatibilityTests
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
        var key = AdvisoryLockKey.FromName("through a proxy");
        await using var lease = await AdvisoryLockHandle.TryAcquireAsync(session, key, default);
        lease.ShouldNotBeNull();
        (await session.ProveAsync(key, default)).ShouldBeTrue();
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
        var check = () => DatabaseCompatibility.RefuseOldServer(new Version(major, 4));
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

    [Theory]
    [InlineData("Read Buffer Size=512", "4096")]
    [InlineData("Write Buffer Size=1", "4096")]
    [InlineData("Socket Receive Buffer Size=-1", "from 0")]
    [InlineData("Command Timeout=0", "from 1 to 300")]
    [InlineData("Timeout=0", "from 1 to 300")]
    [InlineData("Port=70000", "65535")]
    [InlineData("Replication Mode=Logical", "leave it out")]
    [InlineData("Max Pool Size=0", "max pool size")]
    [InlineData("Minimum Pool Size=50;Maximum Pool Size=10", "pool size")]
    [InlineData("Connection Pruning Interval=0", "ConnectionPruningInterval")]
    [InlineData("SSL Mode=bogus", "ssl mode")]
    [InlineData("Enlist=maybe", "enlist")]
    [InlineData("Nonsense=1", "nonsense")]
    public void A_setting_that_the_driver_would_fail_on_later_or_wait_for_without_end_is_refused_at_the_start(
        string setting,
        string named
    )
    {
        var refusal = Should.Throw<FatalStartException>(() => DatabaseSource.Of($"Host=db;Password=secret;{setting}", "data"));
        refusal.Message.ShouldContain(named);
        refusal.Message.ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("Enlist=true")]
    [InlineData("Multiplexing=true")]
    [InlineData("Pooling=false")]
    [InlineData("No Reset On Close=false")]
    [InlineData("Cancellation Timeout=0")]
    [InlineData("Internal Command Timeout=0;Server Compatibility Mode=NoTypeLoading")]
    [InlineData("Client Encoding=LATIN1;Encoding=iso-8859-1")]
    [InlineData("Timezone=America/New_York")]
    [InlineData("Search Path=elsewhere")]
    [InlineData("Options=-c synchronous_commit=off -c statement_timeout=500ms -c client_min_messages=error")]
    public async Task What_an_operator_writes_does_not_take_from_sessions_what_they_rely_on(string setting)
    {
        await using var db = await PostgresCluster.CreateDatabaseAsync();
        await ShouldHaveItsSettingsAsync($"{db.ConnectionString};{setting}");
    }

    [Fact]
    public async Task Sessions_set_what_they_rely_on_whatever_the_database_has_for_a_default()
    {
        await using var db = await PostgresCluster.CreateDatabaseAsync();
        string[] defaults =
        [
            "synchronous_commit = off",
            "default_transaction_isolation = serializable",
            "statement_timeout = '500ms'",
            "idle_session_timeout = '1s'",
            "idle_in_transaction_session_timeout = '1ms'",
            "row_security = on",
            "search_path = elsewhere",
            "client_min_messages = error",
            "\"DateStyle\" = 'SQL, DMY'",
            "\"TimeZone\" = 'Asia/Tokyo'",
        ];
        foreach (var setting in defaults)
        {
            await db.ExecuteAsync(
                $"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting.Replace("'", "''", StringComparison.Ordinal)}', current_database()); END $$"
            );
        }

        await ShouldHaveItsSettingsAsync(db.ConnectionString);
    }

    [Fact]
    public async Task A_stricter_commit_of_the_servers_stays()
    {
        await using var db = await PostgresCluster.CreateDatabaseAsync();
        await db.ExecuteAsync(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = remote_apply', current_database()); END $$"
        );
        await using var database = Open(db.ConnectionString);
        (await SettingAsync(database, "synchronous_commit")).ShouldBe("remote_apply");
        await using var session = await database.OpenSessionAsync("lane", default);
        session.ConfirmedCommit.ShouldBe("remote_apply");
    }

    [Fact]
    public async Task A_setting_that_the_server_does_not_take_is_refused_with_its_words()
    {
        await using var db = await PostgresCluster.CreateDatabaseAsync();
        var refusal = await Should.ThrowAsync<FatalStartException>(
            CheckAsync($"{db.ConnectionString};Options=-c no_such_setting=1")
        );
        refusal.Message.ShouldContain("no_such_setting");
    }

    private static async Task ShouldHaveItsSettingsAsync(string connectionString)
    {
        DatabaseSource.Of(connectionString, "data");
        await using var database = Open(connectionString);

        // Twice: what a connection that goes back to the pool has set must not be undone.
        for (var i = 0; i < 2; i++)
        {
            (await SettingAsync(database, "synchronous_commit")).ShouldBe("on");
            (await SettingAsync(database, "transaction_isolation")).ShouldBe("read committed");
            (await SettingAsync(database, "statement_timeout")).ShouldBe("11min");
            (await SettingAsync(database, "idle_session_timeout")).ShouldBe("0");
            (await SettingAsync(database, "idle_in_transaction_session_timeout")).ShouldBe("30s");
            (await SettingAsync(database, "row_security")).ShouldBe("off");
            (await SettingAsync(database, "search_path")).ShouldBe("pg_catalog");
            (await SettingAsync(database, "client_min_messages")).ShouldBe("warning");
            (await SettingAsync(database, "DateStyle")).ShouldBe("ISO, YMD");
            (await SettingAsync(database, "TimeZone")).ShouldBe("UTC");
            (await SettingAsync(database, "client_encoding")).ShouldBe("UTF8");
        }

        await using var session = await database.OpenSessionAsync("lane", default);
        session.ConfirmedCommit.ShouldBe("on");
    }

    private static Database Open(string connectionString) =>
        new(new DatabaseSource(connectionString, null), NullLoggerFactory.Instance, TimeProvider.System);

    private static async Task<string?> SettingAsync(Database database, string name)
    {
        await using var command = database.Pool.CreateCommand($"SELECT current_setting('{name}')");
        return (string?)await command.ExecuteScalarAsync();
    }

    private static Task<string?> CheckAsync(string connectionString) =>
        DatabaseCompatibility.CheckAsync(connectionString, NullLoggerFactory.Instance, CancellationToken.None);
}
