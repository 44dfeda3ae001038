using System.Diagnostics;
using System.Globalization;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.Postgres.Embedded;
using Npgsql;

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>A server with settings of a test's own, and its standbys: PostgreSQL's programs as an operator runs them. Reached by a unix socket.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const string Role = "filetransfer";

    // The server ends with the test run, however that ends.
    private const string Supervisor = """
        exec 3<&0 </dev/null >>"$1" 2>&1
        shift
        trap '' HUP INT TERM
        "$@" 3<&- &
        server=$!
        (while read -r _ <&3; do :; done; kill -QUIT "$server") &
        watcher=$!
        wait "$server"
        kill -KILL "$watcher"
        """;

    // The standby streams the log.
    private const string CopyWithoutLog = """
        mkdir -m 700 "$2" && cd "$1" && mkdir -p "$2/pg_wal/archive_status" || exit 1
        for name in *; do
          case $name in pg_wal | postmaster.*) continue ;; esac
          cp -a -- "$name" "$2/" || exit 1
        done
        """;

    private readonly DirectoryInfo _folder;
    private readonly PostgresBinaries _binaries;
    private readonly ServerAccount _account;
    private Process? _process;
    private bool _hasOwnClock;

    private PostgresServer(DirectoryInfo folder, PostgresBinaries binaries, ServerAccount account)
    {
        _folder = folder;
        _binaries = binaries;
        _account = account;
    }

    /// <summary>The folder of its socket, which is what a connection string has for a host.</summary>
    public string Host => _folder.FullName;

    public string ConnectionString => ConnectionStringTo(Host);

    /// <summary>The folder of its data.</summary>
    public string Data => Path.Combine(Host, "data");

    /// <summary>Where PostgreSQL's programs are.</summary>
    public string Programs => ProgramsOf(_binaries);

    /// <summary>What to put before a command to run it as the server's user.</summary>
    public IReadOnlyList<string> AsItsUser => _account.Prefix;

    /// <summary>A database of the server, as libpq is told it.</summary>
    public string LibpqTo(string database = "postgres") => $"host={Host} user={Role} dbname={database}";

    /// <summary>A folder that has the server's program may have no other, only a link to where all are.</summary>
    public static string ProgramsOf(PostgresBinaries binaries) =>
        Path.GetDirectoryName(File.ResolveLinkTarget(binaries.Server, returnFinalTarget: true)?.FullName ?? binaries.Server)!;

    public static string ConnectionStringTo(string host, string database = "postgres") =>
        new NpgsqlConnectionStringBuilder
        {
            Host = host,
            Username = Role,
            Database = database,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;

    /// <summary>libfaketime, which gives a program another clock; null where it is not installed.</summary>
    public static string? OtherClock { get; } =
        Directory.Exists("/usr/lib")
            ? Directory
                .EnumerateDirectories("/usr/lib", "*-linux-*")
                .Select(folder => Path.Combine(folder, "faketime", "libfaketime.so.1"))
                .FirstOrDefault(File.Exists)
            : null;

    /// <summary>A new server, started, whose clock can be set.</summary>
    public static async Task<PostgresServer> StartNewWithClockAsync()
    {
        var server = await InNewFolderAsync();
        server._hasOwnClock = true;
        await server.SetClockAsync("+0");
        return await StartNewAsync(server);
    }

    /// <summary>What gives another process of its machine the server's clock.</summary>
    public (string Name, string Value)[] Clock =>
        [
            ("LD_PRELOAD", OtherClock!),
            ("FAKETIME_TIMESTAMP_FILE", Path.Combine(Host, "clock")),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
        ];

    /// <summary>Sets the server's clock, as <c>+1d</c> a day ahead of the machine's. A clock that cannot be set goes on as it did.</summary>
    public async Task SetClockAsync(string offset)
    {
        var clock = Path.Combine(Host, "clock");
        await File.WriteAllTextAsync($"{clock}.new", offset);
        File.Move($"{clock}.new", clock, overwrite: true);
    }

    /// <summary>A new server, started.</summary>
    public static async Task<PostgresServer> StartNewAsync(params string[] settings) =>
        await StartNewAsync(await InNewFolderAsync(), settings);

    private static async Task<PostgresServer> StartNewAsync(PostgresServer server, params string[] settings)
    {
        await server.RunAsync(
            "initdb",
            $"--pgdata={server.Data}",
            $"--username={Role}",
            "--auth=trust",
            "--no-sync",
            "--no-instructions",
            "--encoding=UTF8",
            "--locale=C"
        );
        await server.StartAsync(settings);
        return server;
    }

    /// <summary>A standby of this server, started. It is connected by way of <paramref name="through"/>, the folder of another socket, or directly.</summary>
    public async Task<PostgresServer> StartStandbyAsync(string? through = null, params string[] settings)
    {
        var standby = await InNewFolderAsync();
        await BackUpToAsync(standby);
        await File.AppendAllTextAsync(
            Path.Combine(standby.Data, "postgresql.auto.conf"),
            $"primary_conninfo = 'host={through ?? Host} user={Role} application_name=standby'\nwal_retrieve_retry_interval = '100ms'\n"
        );
        await File.WriteAllTextAsync(Path.Combine(standby.Data, "standby.signal"), "");
        standby.Own(Path.Combine(standby.Data, "standby.signal"));
        await standby.StartAsync(settings);
        return standby;
    }

    /// <summary>Starts it, also after <see cref="KillAsync"/> or <see cref="StopAsync"/>, and waits until it answers.</summary>
    public async Task StartAsync(params string[] settings)
    {
        string[] options =
        [
            "listen_addresses=",
            $"unix_socket_directories={Host}",
            "max_connections=200",
            "shared_buffers=32MB",
            "jit=off",
            .. settings,
        ];
        _process = ChildProcess.Start([
            .. _account.Prefix,
            "sh",
            "-c",
            Supervisor,
            "postgres-of-a-test",
            Path.Combine(Host, "log"),
            .. _hasOwnClock ? ClockSettings() : [],
            _binaries.Server,
            "-D",
            Data,
            .. options.SelectMany(option => new[] { "-c", option }),
        ]);
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    return await ScalarAsync<int>("SELECT 1") == 1;
                }
                catch (NpgsqlException) when (!_process.HasExited)
                {
                    return false;
                }
            },
            $"PostgreSQL in {Host} answers"
        );
    }

    /// <summary>Ends the server at once, as a kill of its machine does.</summary>
    public Task KillAsync() => EndAsync(Posix.Quit);

    /// <summary>Ends it in order.</summary>
    public Task StopAsync() => EndAsync(Posix.Interrupt);

    /// <summary>Makes a standby the primary, and waits until it takes writes.</summary>
    public async Task PromoteAsync() =>
        (await ScalarAsync<bool>("SELECT pg_promote(wait => true, wait_seconds => 30)")).ShouldBeTrue();

    /// <summary>Sets something that a reload is enough for, and waits until sessions have it.</summary>
    public async Task SetAsync(string name, string value)
    {
        await ExecuteAsync($"ALTER SYSTEM SET {name} = '{value}'");
        await ExecuteAsync("SELECT pg_reload_conf()");
        await Eventually.HoldsAsync(async () => await ScalarAsync<string>($"SHOW {name}") == value, $"{name} is '{value}'");
    }

    public Task ExecuteAsync(string sql) => ScalarAsync<object>(sql);

    public async Task<T?> ScalarAsync<T>(string sql, string database = "postgres")
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ConnectionStringTo(Host, database)) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync() is { } value and not DBNull ? (T)value : default;
    }

    /// <summary>Runs one of PostgreSQL's programs as the server's user.</summary>
    public async Task RunAsync(string program, params string[] arguments)
    {
        var answer = await ChildProcess.RunAsync([.. _account.Prefix, Path.Combine(Programs, program), .. arguments], default);
        answer.Succeeded.ShouldBeTrue($"{program}: {answer.Output}");
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>One whose data somebody else puts there before it is started.</summary>
    public static async Task<PostgresServer> InNewFolderAsync()
    {
        await PostgresPrograms.NeedAsync();
        var folder = Directory.CreateTempSubdirectory("ft-pg-");
        var account = await ServerAccount.ForAsync(folder.FullName, Path.Combine(folder.FullName, "data"), default);
        return new PostgresServer(folder, await PostgresBinaries.FindAsync(null, default), account);
    }

    /// <summary>As <c>pg_basebackup</c> does, which is not among the programs that every package of the server brings.</summary>
    private async Task BackUpToAsync(PostgresServer standby)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var start = new NpgsqlCommand("SELECT pg_backup_start('standby', fast => true)", connection);
        await start.ExecuteNonQueryAsync();
        await standby.RunAsync("/bin/sh", "-c", CopyWithoutLog, "copy", Data, standby.Data);
        await using var stop = new NpgsqlCommand("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)", connection);
        var label = Path.Combine(standby.Data, "backup_label");
        await File.WriteAllTextAsync(label, (string)(await stop.ExecuteScalarAsync())!);
        standby.Own(label);
    }

    private string[] ClockSettings() => ["env", .. Clock.Select(setting => $"{setting.Name}={setting.Value}")];

    private void Own(string file)
    {
        if (_account is { Uid: { } uid, Gid: { } gid })
        {
            Posix.Own(file, uid, gid);
        }
    }

    private async Task EndAsync(int signal)
    {
        if (_process is { HasExited: false })
        {
            var pid = (await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid")))[0];
            Posix.Signal(int.Parse(pid, CultureInfo.InvariantCulture), signal).ShouldBeTrue();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        _process = null;
    }
}
