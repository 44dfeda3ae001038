using FileTransfer.IntegrationTests.Testbed;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Hosting;

/// <summary><c>docs/openapi.json</c>, of which people make clients.</summary>
[Collection(SharedNodes.Name)]
public sealed class KeptDescriptionTests(RunningCluster nodes, ITestOutputHelper output)
{
    [Fact]
    public async Task The_description_that_is_kept_is_the_one_that_a_node_serves()
    {
        var file = Path.Combine(TestedScript.Root, "docs", "openapi.json");
        var served = await nodes.Leader.Http.GetStringAsync("/swagger/v1/swagger.json") + "\n";
        if (Environment.GetEnvironmentVariable("FILETRANSFER_KEEP_DESCRIPTION") is { Length: > 0 })
        {
            await File.WriteAllTextAsync(file, served);
        }

        var kept = await File.ReadAllTextAsync(file);
        (kept == served).ShouldBeTrue("docs/openapi.json is another one: CONTRIBUTING.md says how to keep the new one");
    }

    [Fact]
    public Task Spectral_finds_nothing_in_it_and_a_client_made_from_it_puts_gets_lists_and_removes() =>
        TestedScript.RunAsync(output, "tests/openapi.sh", nodes.Leader.Url.ToString().TrimEnd('/'));
}
