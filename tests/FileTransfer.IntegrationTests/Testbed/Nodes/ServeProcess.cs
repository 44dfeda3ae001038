using System.Diagnostics;
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
    private readonly ServerLog _output = new();

    public ServeProcess(params string[] settings)
    {
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
                : ["--urls=http://127.0.0.1:0", .. settings]
        )
        {
            start.ArgumentList.Add(setting);
        }

        _process = Process.Start(start)!;
        _error = _process.StandardError.ReadToEndAsync();
        _process.OutputDataReceived += _output.Append;
        _process.BeginOutputReadLine();
    }

    public Uri Address => _output.Address;

    public Task UntilItAnswersAsync() => UntilAsync("/health/live", "healthy");

    public Task UntilItDrainsAsync() => UntilAsync("/health/ready", "draining");

    private async Task UntilAsync(string path, string status)
    {
        using var client = new HttpClient();
        await Eventually.HoldsAsync(
            async () =>
            {
                _process.HasExited.ShouldBeFalse("the process ended early");
                using var answer = await client.GetAsync(new Uri(Address, path));
                return (await answer.Content.ReadAsStringAsync()).Contains($"\"status\":\"{status}\"", StringComparison.Ordinal);
            },
            $"{path} says {status}"
        );
    }

    public void Send(int signal) => Kill(_process.Id, signal).ShouldBe(0);

    public async Task<(int ExitCode, string Error, string Output)> EndAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(limit.Token);
        return (_process.ExitCode, await _error, _output.Text);
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

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
