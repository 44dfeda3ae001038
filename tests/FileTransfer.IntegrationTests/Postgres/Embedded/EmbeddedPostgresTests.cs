using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Postgres;
using FileTransfer.Postgres.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FileTransfer.IntegrationTests.Postgres.Embedded;

/// <remarks>Run by root, the folder is one that only root may enter, and the server runs as another user in it.</remarks>
public sealed class EmbeddedPostgresTests : IAsyncLifetime
{
    private readonly string _root = Directory.CreateTempSubdirectory("filetransfer-embedded-").FullName;

    private string Folder => Path.Combine(_root, "data", "postgres");

    private string Cluster => Path.Combine(Folder, "cluster");

    public ValueTask InitializeAsync() => PostgresPrograms.NeedAsync();

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_root, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Data_survive_a_stop_and_a_start()
    {
        await using (var first = await StartAsync())
        {
            await ExecuteAsync(first, "CREATE TABLE filetransfer.kept AS SELECT 42 AS value");
        }

        ServerProcesses.Of(Cluster).ShouldBeEmpty();
        await using var second = await StartAsync();
        (await ScalarAsync(second, "SELECT value FROM filetransfer.kept")).ShouldBe(42);
        second.ConnectionString.ShouldBe(EmbeddedPostgres.ConnectionStringOf(Folder));
    }

    [Thorough]
    [Fact]
    public async Task The_cluster_is_safe_and_private()
    {
        await using var embedded = await StartAsync();
        foreach (
            var (setting, value) in new[]
            {
                ("fsync", "on"),
                ("data_checksums", "on"),
                ("server_encoding", "UTF8"),
                ("listen_addresses", ""),
            }
        )
        {
            (await ScalarAsync(embedded, $"SELECT current_setting('{setting}')")).ShouldBe(value, setting);
        }

        (await ScalarAsync(embedded, "SELECT datcollate FROM pg_database WHERE datname = current_database()")).ShouldBe("C");
        File.GetUnixFileMode(new NpgsqlConnectionStringBuilder(embedded.ConnectionString).Host!)
            .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task The_server_ends_with_an_owner_killed_hard_and_the_next_start_finds_all_that_was_committed()
    {
        using var owner = await EmbeddedOwner.StartAsync(Folder);
        await ExecuteAsync(EmbeddedPostgres.ConnectionStringOf(Folder), "CREATE TABLE filetransfer.kept AS SELECT 42 AS value");
        await owner.KillAsync();

        // At once, while the old server may still be ending.
        await using var next = await StartAsync();
        (await ScalarAsync(next, "SELECT value FROM filetransfer.kept")).ShouldBe(42);
    }

    [Thorough]
    [Fact]
    public async Task A_server_whose_owner_is_killed_hard_stops_though_nobody_starts_it_again()
    {
        using var owner = await EmbeddedOwner.StartAsync(Folder);
        ServerProcesses.Of(Cluster).ShouldNotBeEmpty();
        await owner.KillAsync();
        await Eventually(() => ServerProcesses.Of(Cluster).Count == 0);
    }

    [Thorough]
    [Fact]
    public async Task A_server_that_outlives_its_owner_and_its_supervisor_is_stopped_by_the_next_start()
    {
        using var owner = await EmbeddedOwner.StartAsync(Folder);
        var supervisor = ServerProcesses.ChildrenOf(owner.Pid).Single();
        foreach (
            var pid in ServerProcesses.ChildrenOf(supervisor).Where(pid => ServerProcesses.Name(pid) == "sh").Append(supervisor)
        )
        {
            Process.GetProcessById(pid).Kill();
        }

        await owner.KillAsync();
        var orphans = ServerProcesses.Of(Cluster);
        orphans.ShouldNotBeEmpty();

        await using var next = await StartAsync();
        ServerProcesses.Of(Cluster).Intersect(orphans).ShouldBeEmpty();
        (await ScalarAsync(next, "SELECT 1")).ShouldBe(1);
    }

    [Fact]
    public async Task A_server_killed_hard_is_noticed_and_recovers_at_the_next_start()
    {
        await using (var first = await StartAsync())
        {
            await ExecuteAsync(first, "CREATE TABLE filetransfer.kept AS SELECT 42 AS value");
            Process.GetProcessById(PostmasterPid()).Kill();
            await first.Ended.WaitAsync(TimeSpan.FromSeconds(10));
        }

        await using var next = await StartAsync();
        (await ScalarAsync(next, "SELECT value FROM filetransfer.kept")).ShouldBe(42);
    }

    [Thorough]
    [Fact]
    public async Task A_pid_file_that_names_a_living_stranger_does_not_keep_the_server_from_starting()
    {
        await (await StartAsync()).DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(Cluster, "postmaster.pid"), $"{Environment.ProcessId}\n{Cluster}\n1\n5432\n");

        await using var next = await StartAsync();
        (await ScalarAsync(next, "SELECT 1")).ShouldBe(1);
        Process.GetCurrentProcess().HasExited.ShouldBeFalse();
    }

    [Thorough]
    [Fact]
    public async Task A_cluster_whose_making_was_interrupted_is_made_anew()
    {
        // Killed as soon as there is something half made.
        using (var owner = EmbeddedOwner.Launch(Folder))
        {
            await Eventually(() => Directory.Exists(Folder) && Directory.GetDirectories(Folder, "cluster*").Length > 0);
            await owner.KillAsync();
        }

        await using var embedded = await StartAsync();
        (await ScalarAsync(embedded, "SELECT 1")).ShouldBe(1);
        Directory.GetDirectories(Folder, "cluster*").ShouldBe([Cluster]);
    }

    [Thorough]
    [Fact]
    public async Task Two_clusters_run_side_by_side()
    {
        await using var one = await StartAsync();
        await using var other = await EmbeddedPostgres.StartAsync(
            Path.Combine(_root, "other"),
            null,
            NullLogger.Instance,
            default
        );
        await ExecuteAsync(one, "CREATE TABLE filetransfer.only_here (id integer)");
        (await ScalarAsync(other, "SELECT count(*)::integer FROM pg_tables WHERE tablename = 'only_here'")).ShouldBe(0);
    }

    [Thorough]
    [Fact]
    public async Task A_folder_in_use_is_refused()
    {
        await using var embedded = await StartAsync();
        var refusal = await Should.ThrowAsync<FatalStartException>(() => StartAsync());
        refusal.Message.ShouldContain(Folder);
        (await ScalarAsync(embedded, "SELECT 1")).ShouldBe(1);
    }

    [Thorough]
    [Theory]
    [InlineData("a-folder-with-a-name-so-long-that-no-socket-fits-into-it-because-the-kernel-allows-only-108-bytes-for-its-path")]
    [InlineData("a folder, with 'signs' that=mean;something")]
    public async Task A_folder_whose_path_suits_no_socket_is_no_obstacle(string name)
    {
        var folder = Path.Combine(_root, name);
        var socket = new NpgsqlConnectionStringBuilder(EmbeddedPostgres.ConnectionStringOf(folder)).Host!;
        await using (var embedded = await EmbeddedPostgres.StartAsync(folder, null, NullLogger.Instance, default))
        {
            (await ScalarAsync(embedded, "SELECT 1")).ShouldBe(1);
            socket.ShouldNotStartWith(folder);
        }

        Directory.Exists(socket).ShouldBeFalse();
    }

    [Thorough]
    [Fact]
    public async Task What_nodes_are_given_runs_no_programs_and_the_superuser_is_let_in_by_the_socket_alone()
    {
        await using var embedded = await EmbeddedPostgres.StartAsync(Folder, 0, NullLogger.Instance, default);
        (
            await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(embedded, "COPY (SELECT 1) TO PROGRAM 'cat'"))
        ).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
        var owner = new NpgsqlConnectionStringBuilder(embedded.ConnectionString) { Username = EmbeddedLayout.Owner };
        (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(owner.ConnectionString, "SELECT 1"))).SqlState.ShouldBe(
            PostgresErrorCodes.InvalidPassword
        );
        await ExecuteAsync(embedded.AdminConnectionString, "COPY (SELECT 1) TO PROGRAM 'cat'");
    }

    [Thorough]
    [Fact]
    public async Task A_loopback_port_asks_for_the_password()
    {
        await using var embedded = await EmbeddedPostgres.StartAsync(Folder, 0, NullLogger.Instance, default);
        (await ScalarAsync(embedded, "SELECT host(inet_server_addr())")).ShouldBe("127.0.0.1");
        var wrong = new NpgsqlConnectionStringBuilder(embedded.ConnectionString) { Password = "wrong", Pooling = false };
        (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(wrong.ConnectionString, "SELECT 1"))).SqlState.ShouldBe(
            PostgresErrorCodes.InvalidPassword
        );
    }

    [Thorough]
    [Fact]
    public async Task The_server_is_told_to_notice_a_session_whose_client_vanished()
    {
        await using var embedded = await EmbeddedPostgres.StartAsync(Folder, 0, NullLogger.Instance, default);
        await using var database = new Database(
            new DatabaseSource(embedded.ConnectionString, null),
            NullLoggerFactory.Instance,
            TimeProvider.System
        );
        await using var session = await database.OpenSessionAsync("over tcp", default);
        var told = await session.UseAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(
                    "SELECT concat_ws(' ', current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'), "
                        + "current_setting('tcp_keepalives_count'), current_setting('tcp_user_timeout'), current_setting('idle_session_timeout'))",
                    connection
                );
                return await command.ExecuteScalarAsync(token);
            },
            default
        );
        told.ShouldBe("5 2 3 11000 15s");
    }

    [Thorough]
    [Fact]
    public async Task Of_many_hosts_the_one_that_takes_writes_is_used()
    {
        const string Password = "0123456789abcdef0123456789abcdef";
        var other = Path.Combine(_root, "other");
        foreach (var folder in (string[])[Folder, other])
        {
            Directory.CreateDirectory(folder);
            await File.WriteAllTextAsync(Path.Combine(folder, "password"), Password);
        }

        await using var closed = await EmbeddedPostgres.StartAsync(Folder, 0, NullLogger.Instance, default);
        await using var open = await EmbeddedPostgres.StartAsync(other, 0, NullLogger.Instance, default);
        await ExecuteAsync(closed.AdminConnectionString, "ALTER SYSTEM SET default_transaction_read_only = on");
        await ExecuteAsync(closed.AdminConnectionString, "SELECT pg_reload_conf()");
        var (closedPort, openPort) = (PortOf(closed), PortOf(open));
        var both = new NpgsqlConnectionStringBuilder(open.ConnectionString)
        {
            Host = $"127.0.0.1:{closedPort},127.0.0.1:{openPort}",
        };
        await Eventually(() => Equals(ScalarAsync(closed, "SHOW default_transaction_read_only").GetAwaiter().GetResult(), "on"));

        await using var database = new Database(
            new DatabaseSource(both.ConnectionString, null),
            NullLoggerFactory.Instance,
            TimeProvider.System
        );
        (await DatabaseCompatibility.CheckAsync(both.ConnectionString, NullLoggerFactory.Instance, default)).ShouldBeNull();
        await using var session = await database.OpenSessionAsync("writes", default);
        (await session.UseAsync(PortAsync, default)).ShouldBe(openPort);
        await using var pooled = await database.Pool.OpenConnectionAsync();
        (await PortAsync(pooled, default)).ShouldBe(openPort);
    }

    [Thorough]
    [Fact]
    public async Task A_log_that_grew_too_long_is_cut_while_the_server_runs()
    {
        await using var embedded = await StartAsync();
        var log = Path.Combine(Folder, "postgres.log");
        await using (var filler = new FileStream(log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
        {
            filler.SetLength(EmbeddedPostgres.LongestLog + 1);
        }

        embedded.TrimLog();
        new FileInfo(log).Length.ShouldBe(0);
        await ExecuteAsync(embedded, "DO $$ BEGIN RAISE LOG 'still written'; END $$");
        await Eventually(() => File.ReadAllText(log).Contains("still written", StringComparison.Ordinal));
        new FileInfo(log).Length.ShouldBeLessThan(10_000);
    }

    [Thorough]
    [Fact]
    public async Task A_loopback_port_that_is_taken_is_refused_by_number()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var refusal = await Should.ThrowAsync<FatalStartException>(() =>
            EmbeddedPostgres.StartAsync(Folder, port, NullLogger.Instance, default)
        );
        refusal.Message.ShouldContain(port.ToString(CultureInfo.InvariantCulture));
    }

    [Thorough]
    [Fact]
    public async Task A_server_that_cannot_start_says_why()
    {
        await (await StartAsync()).DisposeAsync();
        await File.AppendAllTextAsync(Path.Combine(Cluster, "postgresql.conf"), "\nno_such_setting = 1\n");
        (await Should.ThrowAsync<IOException>(() => StartAsync())).Message.ShouldContain("no_such_setting");
    }

    [Thorough]
    [Fact]
    public async Task The_log_of_the_run_before_is_kept_and_no_more()
    {
        for (var run = 0; run < 3; run++)
        {
            await (await StartAsync()).DisposeAsync();
        }

        Directory
            .GetFiles(Folder, "postgres.log*")
            .Select(Path.GetFileName)
            .Order(StringComparer.Ordinal)
            .ShouldBe(["postgres.log", "postgres.log.1"]);
        (await File.ReadAllTextAsync(Path.Combine(Folder, "postgres.log"))).ShouldContain("database system is shut down");
    }

    private static int PortOf(EmbeddedPostgres embedded) => new NpgsqlConnectionStringBuilder(embedded.ConnectionString).Port;

    private static async Task<int> PortAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT inet_server_port()", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private Task<EmbeddedPostgres> StartAsync() => EmbeddedPostgres.StartAsync(Folder, null, NullLogger.Instance, default);

    private int PostmasterPid() =>
        int.Parse(File.ReadLines(Path.Combine(Cluster, "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    private static Task ExecuteAsync(EmbeddedPostgres embedded, string sql) => ExecuteAsync(embedded.ConnectionString, sql);

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(EmbeddedPostgres embedded, string sql)
    {
        await using var source = NpgsqlDataSource.Create(embedded.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private static async Task Eventually(Func<bool> fact)
    {
        var since = Stopwatch.GetTimestamp();
        while (!fact())
        {
            Stopwatch.GetElapsedTime(since).ShouldBeLessThan(TimeSpan.FromSeconds(20));
            await Task.Delay(5);
        }
    }
}
