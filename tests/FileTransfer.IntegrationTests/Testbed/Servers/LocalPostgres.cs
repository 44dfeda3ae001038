using System.Diagnostics;
using System.Globalization;
using FileTransfer.Postgres.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>The private cluster of the product, run by the tests.</summary>
internal sealed class LocalPostgres : PrivatePostgres
{
    private readonly string _folder;
    private EmbeddedPostgres? _server;

    private LocalPostgres(string folder) => _folder = folder;

    public static async Task<PrivatePostgres> StartNewAsync()
    {
        var postgres = new LocalPostgres(Directory.CreateTempSubdirectory("filetransfer-test-").FullName);
        await postgres.StartAgainAsync();
        return postgres;
    }

    public override async Task StopAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
            _server = null;
        }
    }

    public override async Task StartAgainAsync()
    {
        _server = await EmbeddedPostgres.StartAsync(
            Path.Combine(_folder, "postgres"),
            null,
            NullLogger.Instance,
            CancellationToken.None
        );
        ConnectionString = _server.AdminConnectionString;
    }

    public override async Task KillAsync()
    {
        var pid = (await File.ReadAllLinesAsync(Path.Combine(_folder, "postgres", "cluster", "postmaster.pid")))[0];
        using (var server = Process.GetProcessById(int.Parse(pid, CultureInfo.InvariantCulture)))
        {
            server.Kill();
        }

        await StopAsync();
    }

    public override async Task StartOnNewTimelineAsync()
    {
        await StopAsync();
        var cluster = Path.Combine(_folder, "postgres", "cluster");
        await File.AppendAllTextAsync(Path.Combine(cluster, "postgresql.auto.conf"), "restore_command = 'false'\n");
        await File.WriteAllTextAsync(Path.Combine(cluster, "recovery.signal"), "");
        File.SetUnixFileMode(
            Path.Combine(cluster, "recovery.signal"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead
        );
        await StartAgainAsync();
        await RecoveredAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
