using System.Diagnostics;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Programs that people use, run by a shell in a folder of their own.</summary>
internal static class RealClient
{
    /// <summary>Whether all programs are on this machine; says why a fact is skipped where they are not.</summary>
    public static bool AreThere(ITestOutputHelper output, params ReadOnlySpan<string> programs)
    {
        foreach (var program in programs)
        {
            var path = Environment.GetEnvironmentVariable("PATH") ?? "";
            if (!path.Split(':').Any(folder => File.Exists(Path.Combine(folder, program))))
            {
                output.WriteLine($"Skipped: {program} is not on this machine.");
                return false;
            }
        }

        return true;
    }

    /// <summary>Runs a line of shell; what it wrote, and its exit code.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string folder, string line)
    {
        var start = new ProcessStartInfo("bash", ["-c", $"set -o pipefail; {{ {line}\n}} 2>&1"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output);
    }
}
