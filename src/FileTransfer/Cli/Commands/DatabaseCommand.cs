using System.CommandLine;
using FileTransfer.Cli.Output;
using FileTransfer.Postgres.Embedded;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer database</c>: one PostgreSQL for several nodes on this machine.</summary>
internal static class DatabaseCommand
{
    public static Command Create()
    {
        var folder = CliOption.Text("--data-directory", "DIR", "Where the database lives; created when missing.");
        folder.Required = true;
        var port = CliOption.Number("--port", IPEndPoint.MaxPort, "The loopback port; without it, a free one.");
        return new CliCommand("database", "Runs a private PostgreSQL for several nodes on this machine")
        {
            Notes =
            [
                "The first line of standard output is the connection string for ConnectionStrings:Postgres; its role is no superuser.",
                "It runs until SIGTERM or Ctrl-C, and then exits with 0.",
            ],
            Examples =
            [
                "filetransfer database --data-directory /var/lib/filetransfer-db --port 5433",
                "filetransfer serve --ConnectionStrings:Postgres=\"Host=127.0.0.1;Port=5433;…\"",
            ],
            Ends = [ExitCode.Configuration],
        }
            .Taking(folder, port, DatabaseRoleCommand.Create())
            .Runs(run =>
                RunAsync(Path.GetFullPath(run.Get(folder)!), run.Given(port) ?? FreePort(), run.Console, run.CancellationToken)
            );
    }

    private static async Task<ExitCode> RunAsync(string folder, int port, CliConsole console, CancellationToken cancellationToken)
    {
        using var logging = LoggerFactory.Create(builder =>
            builder.AddSimpleConsole(options => options.SingleLine = true).SetMinimumLevel(LogLevel.Warning)
        );
        await using var database = await EmbeddedPostgres.StartAsync(
            folder,
            port,
            logging.CreateLogger<EmbeddedPostgres>(),
            cancellationToken
        );
        console.Result(database.ConnectionString, new DatabaseLine(database.ConnectionString, folder));

        // To be told to stop is how this command ends well.
        var stop = Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        if (await Task.WhenAny(stop, database.Ended) == stop)
        {
            return ExitCode.Ok;
        }

        throw new CliException(
            ExitCode.Failed,
            $"PostgreSQL in {folder} stopped by itself. Its log there says why; fix that, and start it again."
        );
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
