using System.Diagnostics;
using FileTransfer.IntegrationTests.PowerFailure;
using FileTransfer.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.IntegrationTests.Postgres;

/// <summary>A process that runs a private cluster until it is killed: <c>dotnet FileTransfer.IntegrationTests.dll FOLDER</c>.</summary>
internal sealed class EmbeddedOwner : IDisposable
{
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
                new ProcessStartInfo("dotnet", ["exec", typeof(EmbeddedOwner).Assembly.Location, folder])
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

    public static async Task<int> Main(string[] args)
    {
        if (args[0] == StoreScript.Name)
        {
            return await StoreScript.RunAsync(args[1..]);
        }

        await using var embedded = await EmbeddedPostgres.StartAsync(args[0], null, NullLogger.Instance, CancellationToken.None);
        await Console.Out.WriteLineAsync("ready");
        await embedded.Ended;
        return 1;
    }
}
