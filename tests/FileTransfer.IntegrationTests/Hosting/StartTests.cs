using System.Net;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Hosting;

public sealed class StartTests
{
    [Thorough]
    [Fact]
    public async Task A_node_whose_own_database_is_still_starting_says_so_until_it_is_there()
    {
        var folder = Directory.CreateTempSubdirectory("filetransfer-start-");
        try
        {
            await using var node = NodeProcess.Launch("a", folder.FullName, connectionString: "");
            var answers = new HashSet<HttpStatusCode>();
            await Eventually.HoldsAsync(
                async () =>
                {
                    using var listing = await node.Http.GetAsync("/v1/files");
                    if (answers.Add(listing.StatusCode) && listing.StatusCode != HttpStatusCode.OK)
                    {
                        await listing.ShouldBeProblemAsync(503, "database-unavailable");
                        listing.Headers.RetryAfter.ShouldNotBeNull();
                    }

                    return listing.StatusCode == HttpStatusCode.OK;
                },
                "the node has its database"
            );

            (await node.StopAsync()).ShouldBe(0, node.Log);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
