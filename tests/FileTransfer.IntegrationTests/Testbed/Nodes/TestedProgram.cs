using System.Diagnostics;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>
/// The program that the tests run: the one that was built beside them, or that of <c>FILETRANSFER_PROGRAM</c>, as a published one whose code
/// was compiled beforehand and whose many starts cost less.
/// </summary>
internal static class TestedProgram
{
    public static string Path { get; } =
        Environment.GetEnvironmentVariable("FILETRANSFER_PROGRAM") is { Length: > 0 } given
            ? given
            : System.IO.Path.Combine(AppContext.BaseDirectory, "filetransfer.dll");

    /// <summary>Runs a command to its end.</summary>
    public static async Task<(int Code, string Out)> RunAsync(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Path, .. args])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }
}
