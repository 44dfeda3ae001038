using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FileTransfer.IntegrationTests.Testbed.Disks;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>The program itself in a process of its own, with a folder of its own as current folder.</summary>
internal sealed partial class ServeProcess : IAsyncDisposable
{
    public const int SigTerm = 15;

    private readonly TempFolder _folder = new();
    private readonly Process _process;
    private readonly Task<string> _error;
    private readonly Task<string> _output;

    public ServeProcess(params string[] settings)
    {
        Address = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = new ProcessStartInfo("dotnet", [TestedProgram.Path, "serve", RunningServer.NoDatabase])
        {
            UseShellExecute = false,
            WorkingDirectory = _folder.Path,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (
            var setting in settings.Any(text => text.StartsWith("--urls", StringComparison.Ordinal))
                ? settings
                : [$"--urls={Address}", .. settings]
        )
        {
            start.ArgumentList.Add(setting);
        }

        _process = Process.Start(start)!;
        _error = _process.StandardError.ReadToEndAsync();
        _output = _process.StandardOutput.ReadToEndAsync();
    }

    public Uri Address { get; }

    public Task UntilItAnswersAsync() => UntilAsync("/health/live", "healthy");

    public Task UntilItDrainsAsync() => UntilAsync("/health/ready", "draining");

    private async Task UntilAsync(string path, string status)
    {
        using var client = new HttpClient();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!(await AskAsync(client, path)).Contains($"\"status\":\"{status}\"", StringComparison.Ordinal))
        {
            _process.HasExited.ShouldBeFalse("the process ended early");
            await Task.Delay(20, limit.Token);
        }
    }

    private async Task<string> AskAsync(HttpClient client, string path)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri(Address, path));
            return await answer.Content.ReadAsStringAsync();
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }

    public void Send(int signal) => Kill(_process.Id, signal).ShouldBe(0);

    public async Task<(int ExitCode, string Error, string Output)> EndAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(limit.Token);
        return (_process.ExitCode, await _error, await _output);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _folder.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
