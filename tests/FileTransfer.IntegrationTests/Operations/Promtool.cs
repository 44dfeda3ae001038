using System.Diagnostics;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>Debian's promtool; where it is not installed, the test that wants it is skipped, and says so.</summary>
internal static class Promtool
{
    public static async Task RunAsync(string? input, params string[] arguments)
    {
        var path = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, "promtool"));
        Assert.SkipUnless(path.Any(File.Exists), "promtool is not on this machine: apt-get install prometheus brings it.");
        using var promtool = Process.Start(
            new ProcessStartInfo("promtool", arguments)
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        await promtool.StandardInput.WriteAsync(input);
        promtool.StandardInput.Close();
        var said = await promtool.StandardOutput.ReadToEndAsync() + await promtool.StandardError.ReadToEndAsync();
        await promtool.WaitForExitAsync();
        promtool.ExitCode.ShouldBe(0, said);
    }
}
