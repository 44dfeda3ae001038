using System.Diagnostics;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Deploy;

/// <summary>What <c>deploy</c> has, held against what reads it. Each is a script, which says what it did not check and why.</summary>
public sealed class DeployTests(ITestOutputHelper output)
{
    private const int Skipped = 77;

    [Fact]
    public Task Chart_kustomize_compose_and_unit_are_what_their_readers_take() => RunAsync("tests/deploy/files.sh");

    [Fact]
    public Task What_compose_says_is_a_cluster_whose_certificates_are_renewed_under_load() => RunAsync("tests/deploy/compose.sh");

    [Fact]
    public Task Nodes_are_upgraded_one_after_the_other_and_back_without_a_refused_read_or_a_lost_write() =>
        RunLongAsync("tests/upgrade.sh");

    [Fact]
    public Task The_image_is_built_and_a_node_in_it_takes_and_gives_a_file() => RunLongAsync("tests/image.sh");

    private Task RunLongAsync(string script)
    {
        Assert.SkipUnless(Showing.IsFull, $"bash {script} takes some minutes: it is part of tests/run.sh --long.");
        return RunAsync(script);
    }

    private async Task RunAsync(string script)
    {
        var start = new ProcessStartInfo("bash", [script])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Root(),
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

    private static string Root([System.Runtime.CompilerServices.CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "../../.."));
}
