using System.Diagnostics;
using FileTransfer.Cli;
using FileTransfer.Identity.Hashing;

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
    public async Task A_signal_keeps_what_has_come_says_so_and_the_same_command_goes_on_with_it(string signal, ExitCode code)
    {
        await using var node = await FakeNode.StartAsync();
        var content = CliHarness.Bytes(50_000);
        var key = node.Add(CliHarness.Metadata("a", content), content);
        node.StandsStill = true;
        using var process = Start("get", key.ToString(), "--output", _cli.PathOf("out"), "--url", node.Address);
        await node.StoodStill;
        await SomethingCameAsync();

        using (var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]))
        {
            await kill.WaitForExitAsync();
        }

        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        process.ExitCode.ShouldBe((int)code);
        var partial = Directory.GetFileSystemEntries(_cli.Folder).ShouldHaveSingleItem();
        said.ShouldContain($"are kept in {partial}");

        node.StandsStill = false;
        var again = await _cli.RunAsync("get", key.ToString(), "--output", _cli.PathOf("out"), "--url", node.Address);

        again.Code.ShouldBe(ExitCode.Ok);
        again.Error.ShouldContain("are here already; resuming");
        node.Ranges.Last().ShouldBe("bytes=1032-");
        Directory.GetFileSystemEntries(_cli.Folder).ShouldBe([_cli.PathOf("out")]);
        File.ReadAllBytes(_cli.PathOf("out")).ShouldBe(content);
    }

    private Task SomethingCameAsync() =>
        Eventually.HoldsAsync(
            () => Directory.EnumerateFiles(_cli.Folder).Any(file => new FileInfo(file).Length > 0),
            () => "bytes have come"
        );

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
