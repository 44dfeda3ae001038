using FileTransfer.IntegrationTests.Testbed;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Deploy;

/// <summary>What <c>deploy</c> has, held against what reads it. Each is a script, which says what it did not check and why.</summary>
public sealed class DeployTests(ITestOutputHelper output)
{
    [Fact]
    public Task Chart_kustomize_compose_and_unit_are_what_their_readers_take() => RunAsync("tests/deploy/files.sh");

    [Thorough]
    [Fact]
    public Task What_compose_says_is_a_cluster_whose_certificates_are_renewed_under_load() => RunAsync("tests/deploy/compose.sh");

    [Fact]
    public Task Nodes_are_upgraded_one_after_the_other_and_back_without_a_refused_read_or_a_lost_write() =>
        RunLongAsync("tests/upgrade.sh");

    [Fact]
    public Task The_image_is_built_and_a_node_in_it_takes_and_gives_a_file() => RunLongAsync("tests/image.sh");

    [Fact]
    public Task Each_package_is_made_and_installed_and_runs_a_node() => RunLongAsync("tests/packages.sh");

    [Fact]
    public Task The_tool_and_the_Debian_package_are_made_of_what_was_built_and_run_a_node()
    {
        var published = Path.GetDirectoryName(TestedProgram.Path)!;
        Assert.SkipWhen(
            published == Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory),
            "FILETRANSFER_PROGRAM names no published program."
        );
        return TestedScript.RunAsync(output, "tests/packages.sh", "--published", published);
    }

    private Task RunLongAsync(string script)
    {
        Assert.SkipUnless(Showing.IsFull, $"bash {script} takes some minutes: it is part of tests/run.sh --long.");
        return RunAsync(script);
    }

    private Task RunAsync(string script) => TestedScript.RunAsync(output, script);
}
