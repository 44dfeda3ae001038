using System.Diagnostics;
using FileTransfer.Cli;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Cli;

/// <summary>The program as its users start it: a process of its own.</summary>
public sealed class ProgramTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task A_fingerprint_comes_out_of_the_process()
    {
        var content = CliHarness.Bytes(100_000);
        var file = _cli.Write("a", content);
        using var process = Start("fingerprint", file, _cli.PathOf("missing"));

        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        (await output).ShouldBe($"{ContentFingerprint.Of(content)} {file}\n");
        (await error).ShouldBe($"error: {_cli.PathOf("missing")} does not exist.\n");
        process.ExitCode.ShouldBe((int)ExitCode.Failed);
    }

    [Theory]
    [InlineData("INT", ExitCode.Interrupted)]
    [InlineData("TERM", ExitCode.Terminated)]
    public async Task A_signal_ends_a_transfer_without_leftovers(string signal, ExitCode code)
    {
        await using var node = await FakeNode.StartAsync();
        var content = CliHarness.Bytes(50_000);
        var key = node.Add(CliHarness.Metadata("a", content), content);
        node.StandsStill = true;
        using var process = Start("get", key.ToString(), "--output", _cli.PathOf("out"), "--url", node.Address);
        await node.StoodStill;

        using (var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]))
        {
            await kill.WaitForExitAsync();
        }

        await process.WaitForExitAsync();

        process.ExitCode.ShouldBe((int)code);
        Directory.GetFileSystemEntries(_cli.Folder).ShouldBeEmpty();
    }

    private static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Program).Assembly.Location, .. args])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }
}
