using System.Diagnostics;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.Postgres.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Runner.InProc.SystemConsole;

namespace FileTransfer.IntegrationTests.Postgres.Embedded;

/// <summary>A process that runs a private cluster until it is killed: <c>dotnet FileTransfer.IntegrationTests.dll embedded FOLDER</c>.</summary>
internal sealed class EmbeddedOwner : IDisposable
{
    private const string Name = "embedded";

    private readonly Process _process;

    private EmbeddedOwner(Process process) => _process = process;

    public int Pid => _process.Id;

    /// <returns>Once the cluster takes connections.</returns>
    public static async Task<EmbeddedOwner> StartAsync(string folder)
    {
        var owner = Launch(folder);
        (await owner._process.StandardOutput.ReadLineAsync()).ShouldBe("ready");
        return owner;
    }

    public static EmbeddedOwner Launch(string folder) =>
        new(
            Process.Start(
                new ProcessStartInfo("dotnet", ["exec", typeof(EmbeddedOwner).Assembly.Location, Name, folder])
                {
                    UseShellExecute = false,
                    RedirectStandardOutput = true,
                }
            )!
        );

    /// <summary>SIGKILL: no handler of its own runs.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }

    /// <summary>What this assembly does as a program of its own; without a name of these it runs its tests.</summary>
    public static Task<int> Main(string[] args) =>
        args switch
        {
            [StoreScript.Name, .. var rest] => StoreScript.RunAsync(rest),
            [FolderScript.Name, var folder] => FolderScript.RunAsync(folder),
            [Name, var folder] => RunAsync(folder),
            _ => ConsoleRunner.Run(args),
        };

    private static async Task<int> RunAsync(string folder)
    {
        await using var embedded = await EmbeddedPostgres.StartAsync(folder, null, NullLogger.Instance, CancellationToken.None);
        await Console.Out.WriteLineAsync("ready");
        await embedded.Ended;
        return 1;
    }
}
