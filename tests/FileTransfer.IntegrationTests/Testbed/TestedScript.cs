using System.Diagnostics;
using System.Runtime.CompilerServices;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Testbed;

/// <summary>A script of the repository that checks something, and says what it did not check and why.</summary>
internal static class TestedScript
{
    private const int Skipped = 77;

    /// <summary>The folder of the repository.</summary>
    public static string Root { get; } = RootOf();

    /// <summary>Runs it to its end, with what it says for the fact's output.</summary>
    public static async Task RunAsync(ITestOutputHelper output, string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", [script, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Root,
            Environment = { ["FILETRANSFER_PROGRAM"] = TestedProgram.Path },
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var said = await process.StandardOutput.ReadToEndAsync() + await errors;
        await process.WaitForExitAsync();
        output.WriteLine(said);
        Assert.SkipWhen(process.ExitCode == Skipped, said.Trim());
        process.ExitCode.ShouldBe(0, said);
    }

    private static string RootOf([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "../../.."));
}
