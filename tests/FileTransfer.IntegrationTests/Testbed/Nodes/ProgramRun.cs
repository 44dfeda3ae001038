using System.Diagnostics;
using System.Text.Json;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A run of the program as a process of its own.</summary>
public sealed record ProgramRun(int Code, string Out, string Error)
{
    /// <summary>What it printed with <c>--json</c>.</summary>
    public IReadOnlyList<JsonElement> Lines =>
        [.. Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <param name="expected">The exit code that it must have; null where any will do.</param>
    /// <param name="args">Its command line.</param>
    /// <param name="environment">What it finds there besides.</param>
    /// <param name="interruptWhen">It is sent SIGINT when this is so.</param>
    public static async Task<ProgramRun> RunAsync(
        int? expected,
        string[] args,
        IReadOnlyDictionary<string, string>? environment = null,
        Func<Task<bool>>? interruptWhen = null
    )
    {
        var start = new ProcessStartInfo("dotnet", [TestedProgram.Path, .. args])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,

            // Followed to this machine itself, it would make every command fail.
            Environment = { ["http_proxy"] = "http://127.0.0.1:1", ["HTTP_PROXY"] = "http://127.0.0.1:1" },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (interruptWhen is not null)
        {
            await Eventually.HoldsAsync(async () => process.HasExited || await interruptWhen(), "it is under way");
            using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
            await kill.WaitForExitAsync();
        }

        await process.WaitForExitAsync();
        var run = new ProgramRun(process.ExitCode, await output, await error);
        if (expected is not null)
        {
            run.Code.ShouldBe(expected.Value, $"{string.Join(' ', args)}: {run.Out}{run.Error}");
        }

        return run;
    }
}
