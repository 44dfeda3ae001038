using System.Diagnostics;

namespace FileTransfer.Postgres.Embedded;

/// <summary>A private PostgreSQL cluster in a folder, run from the machine's own binaries, reachable by this process alone.</summary>
/// <remarks>
/// The server runs under a small shell that holds the read end of a pipe from this process. However this process ends, kill -9 included,
/// the pipe ends with it and the shell shuts the server down. What a start finds left over of an earlier run, it puts in order.
/// </remarks>
public sealed partial class EmbeddedPostgres : IAsyncDisposable
{
    internal const long LongestLog = 16 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private const UnixFileMode PrivateFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly EmbeddedLayout _layout;
    private readonly FileStream _folderLock;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopTrimming = new();
    private Process? _supervisor;
    private Task _trimming = Task.CompletedTask;
    private int _disposed;

    private EmbeddedPostgres(EmbeddedLayout layout, FileStream folderLock, ILogger logger)
    {
        _layout = layout;
        _folderLock = folderLock;
        _logger = logger;
        ConnectionString = ConnectionStringOf(layout.Folder);
    }

    /// <summary>A node's: its role is no superuser.</summary>
    public string ConnectionString { get; private set; }

    /// <summary>The superuser's, for whoever may open the socket.</summary>
    internal string AdminConnectionString { get; private set; } = "";

    /// <summary>Completes when the server has ended, asked or not.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>The connection string that a cluster in <paramref name="folder"/> has, whether it runs or not, as long as no loopback port is asked for.</summary>
    public static string ConnectionStringOf(string folder) =>
        new EmbeddedLayout(folder).SocketConnectionString(
            EmbeddedLayout.SocketPort,
            EmbeddedLayout.DatabaseName,
            EmbeddedLayout.Role
        );

    /// <summary>Makes the cluster if there is none, and starts it.</summary>
    /// <param name="loopbackPort">Null = only a unix socket in a private folder; 0 = any free port of 127.0.0.1; else that port. TCP asks for a password.</param>
    /// <param name="logger">Told what is done; the server's own words go to <c>postgres.log</c> in the folder.</param>
    /// <exception cref="FatalStartException">A person must change something first.</exception>
    /// <exception cref="IOException">The server did not start this time; a later try may succeed.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(
        string folder,
        int? loopbackPort,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        var layout = new EmbeddedLayout(folder);
        var embedded = new EmbeddedPostgres(layout, LockFolder(layout), logger);
        try
        {
            await embedded.StartAsync(loopbackPort, cancellationToken);
            return embedded;
        }
        catch
        {
            await embedded.DisposeAsync();
            throw;
        }
    }

    /// <summary>Fast shutdown: open transactions are rolled back, everything committed is written. Waits for the end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stopTrimming.CancelAsync();
        await _trimming;
        if (_supervisor is not null)
        {
            _supervisor.StandardInput.Close();
            await EndAsync();
            _supervisor.Dispose();
            Log.Stopped(_logger, _layout.Folder);
        }

        if (!_layout.SocketIsInside && Directory.Exists(_layout.SocketFolder))
        {
            Directory.Delete(_layout.SocketFolder, recursive: true);
        }

        _stopTrimming.Dispose();
        await _folderLock.DisposeAsync();
    }

    private static FileStream LockFolder(EmbeddedLayout layout)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(layout.Folder)!);
            Directory.CreateDirectory(layout.Folder, PrivateFolder);
            return new FileStream(layout.LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new FatalStartException(
                $"The folder of the private database, {layout.Folder}, cannot be used by user {Environment.UserName}. "
                    + "Run the service as the user that owns it, give it to this one (chown -R), or set FileTransfer:DataDirectory to another.",
                e
            );
        }
        catch (IOException e)
        {
            throw new FatalStartException(
                $"Another process runs the private database in {layout.Folder}. Stop it, or set FileTransfer:DataDirectory to a folder of its own.",
                e
            );
        }
    }

    /// <summary>The pipe is closed; the shell asks the server to end. One that does not within the time is ended hard: the next start recovers.</summary>
    private async Task EndAsync()
    {
        try
        {
            await Ended.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            Log.SlowStop(_logger, _layout.Folder, Patience.TotalSeconds);
            if (ReadPostmasterPid() is { } pid && ProcessesOfCluster().Contains(pid))
            {
                Posix.Signal(pid, Posix.Quit);
            }

            await Ended.WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Keeps the server's log bounded while it runs. The server appends, so it goes on at the start of the emptied file.</summary>
    private async Task TrimLogAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1));
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                TrimLog();
            }
        }
        catch (OperationCanceledException) { }
    }

    internal void TrimLog()
    {
        try
        {
            if (new FileInfo(_layout.LogFile).Length > LongestLog)
            {
                File.Copy(_layout.LogFile, _layout.LogFile + ".1", overwrite: true);
                using var log = new FileStream(_layout.LogFile, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                log.SetLength(0);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotTrimmed(_logger, _layout.LogFile, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2040, LogLevel.Information, "Private PostgreSQL {Major} is running in {Folder} as user {User}")]
        public static partial void Started(ILogger logger, int major, string folder, string user);

        [LoggerMessage(2041, LogLevel.Information, "Private PostgreSQL in {Folder} stopped")]
        public static partial void Stopped(ILogger logger, string folder);

        [LoggerMessage(2042, LogLevel.Warning, "Private PostgreSQL in {Folder} did not stop within {Seconds} s; ending it now")]
        public static partial void SlowStop(ILogger logger, string folder, double seconds);

        [LoggerMessage(2043, LogLevel.Warning, "Could not truncate {LogFile}: {Reason}")]
        public static partial void NotTrimmed(ILogger logger, string logFile, string reason);

        [LoggerMessage(2044, LogLevel.Warning, "Process {Pid} of an earlier run still uses {Folder}; waiting for it to exit")]
        public static partial void Leftover(ILogger logger, int pid, string folder);

        [LoggerMessage(2045, LogLevel.Information, "Creating a private PostgreSQL cluster in {Folder}")]
        public static partial void Initializing(ILogger logger, string folder);
    }
}
