namespace FileTransfer.Postgres.Embedded;

public sealed partial class EmbeddedPostgres
{
    // Its own session (setsid), so that Ctrl-C in a terminal reaches this process alone, which stops the server last.
    private const string Supervisor = """
        umask 077
        exec 3<&0 </dev/null >>"$1" 2>&1
        shift
        trap '' HUP INT TERM
        "$@" 3<&- &
        server=$!
        (while read -r _ <&3; do :; done; kill -INT "$server") &
        watcher=$!
        wait "$server"
        code=$?
        kill -KILL "$watcher" 2>/dev/null
        exit "$code"
        """;

    private async Task StartAsync(int? loopbackPort, CancellationToken cancellationToken)
    {
        await CleanUpPreviousRunAsync(cancellationToken);
        var account = await ServerAccount.ForAsync(_layout.Folder, _layout.Cluster, cancellationToken);
        var binaries = await PostgresBinaries.FindAsync(_layout.ClusterMajor, cancellationToken);
        if (_layout.ClusterMajor is null)
        {
            await InitializeAsync(binaries, account, cancellationToken);
        }
        else if (account.Uid is { } uid && (await Posix.OwnerOfAsync(_layout.Cluster, cancellationToken)).Uid != uid)
        {
            await RunAsync(["chown", "-R", $"{uid}:{account.Gid}", _layout.Cluster], "given to its user", cancellationToken);
        }

        await PrepareSocketFolderAsync(account, cancellationToken);
        File.Delete(_layout.LogFile + ".1");
        if (File.Exists(_layout.LogFile))
        {
            File.Move(_layout.LogFile, _layout.LogFile + ".1");
        }

        var port = loopbackPort is { } wanted ? FreePort(wanted) : EmbeddedLayout.SocketPort;
        Launch(binaries, account, port, loopbackPort is not null);
        await WaitUntilReadyAsync(port, cancellationToken);
        await PrepareDatabaseAsync(port, loopbackPort is not null, cancellationToken);
        _trimming = TrimLogAsync(_stopTrimming.Token);
        Log.Started(_logger, binaries.Major, _layout.Folder, account.Name);
    }

    /// <summary>initdb into a folder of another name, then rename: a cluster is either whole or not there.</summary>
    private async Task InitializeAsync(PostgresBinaries binaries, ServerAccount account, CancellationToken cancellationToken)
    {
        Log.Initializing(_logger, _layout.Folder);
        var unfinished = $"{_layout.Cluster}.new-{Guid.NewGuid():N}";
        string[] command =
        [
            .. account.Prefix,
            binaries.InitDb,
            $"--pgdata={unfinished}",
            $"--username={EmbeddedLayout.Owner}",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            "--no-instructions",
        ];
        await RunAsync(command, "initialized", cancellationToken);
        Directory.Move(unfinished, _layout.Cluster);
    }

    private async Task PrepareSocketFolderAsync(ServerAccount account, CancellationToken cancellationToken)
    {
        var folder = _layout.SocketFolder;
        Directory.CreateDirectory(folder, PrivateFolder);
        if (new DirectoryInfo(folder).LinkTarget is not null || !await IsOursAsync(folder, account, cancellationToken))
        {
            throw new FatalStartException(
                $"{folder}, where the private database puts its socket, belongs to somebody else. Remove it, "
                    + "or set FileTransfer:DataDirectory to a shorter path, which needs no folder elsewhere."
            );
        }

        if (account is { Uid: { } uid, Gid: { } gid })
        {
            Posix.Own(folder, uid, gid);
        }

        File.SetUnixFileMode(folder, PrivateFolder);
    }

    private static async Task<bool> IsOursAsync(string folder, ServerAccount account, CancellationToken cancellationToken)
    {
        var owner = (await Posix.OwnerOfAsync(folder, cancellationToken)).Uid;
        return account.IsAnother ? owner == 0 || owner == account.Uid : owner == Posix.EffectiveUser;
    }

    private void Launch(PostgresBinaries binaries, ServerAccount account, int port, bool loopback)
    {
        string[] command =
        [
            "setsid",
            .. account.Prefix,
            "sh",
            "-c",
            Supervisor,
            "filetransfer-postgres",
            _layout.LogFile,
            binaries.Server,
            "-D",
            _layout.Cluster,
            .. Settings(port, loopback).SelectMany(setting => new[] { "-c", setting }),
        ];
        _supervisor = ChildProcess.Start(command);
        Ended = _supervisor.WaitForExitAsync(CancellationToken.None);
    }

    private IEnumerable<string> Settings(int port, bool loopback) =>
        [
            $"listen_addresses={(loopback ? "127.0.0.1" : "")}",
            $"port={port}",
            $"unix_socket_directories=\"{_layout.SocketFolder}\"",
            "unix_socket_permissions=0700",
            "cluster_name=filetransfer",
            "max_connections=200",
            "shared_buffers=64MB",
            "max_wal_size=512MB",
            "fsync=on",
            "jit=off",
            "timezone=UTC",
            "log_timezone=UTC",
            "logging_collector=off",
            "log_destination=stderr",
            "log_checkpoints=off",
            "log_min_error_statement=panic",
        ];

    private static int FreePort(int wanted)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, wanted);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException e)
        {
            throw new FatalStartException(
                $"Port {wanted} of 127.0.0.1 cannot be had for the private database: {e.Message}. Free it, or choose another.",
                e
            );
        }
    }

    private static async Task RunAsync(IReadOnlyList<string> command, string what, CancellationToken cancellationToken)
    {
        var answer = await ChildProcess.RunAsync(command, cancellationToken);
        if (!answer.Succeeded)
        {
            throw new IOException($"The private PostgreSQL could not be {what}: {answer.Output}");
        }
    }
}
