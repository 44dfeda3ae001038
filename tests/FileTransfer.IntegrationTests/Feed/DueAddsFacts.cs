using FileTransfer.IntegrationTests.Downloads;
using FileTransfer.IntegrationTests.Nodes;

namespace FileTransfer.IntegrationTests.Feed;

public sealed class DueAddsFacts
{
    [Fact]
    public async Task A_file_stored_without_an_upload_at_a_node_that_leads_later_is_added_then_and_reaches_the_others()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var first = await cluster.StartLeaderAsync("a");
        var heir = await cluster.StartAsync("b");
        var held = TestFile.Of(100_000, seed: 3);
        await first.PutAsync(held.Content, held.Location);
        await TestCluster.StoredAsync(heir, held.Key.ToString());

        // Registered at a node that does not lead and has its content under another key.
        var file = TestFile.Of(100_000, seed: 3);
        await file.WantAtAsync(heir);
        await TestCluster.StoredAsync(heir, file.Key.ToString());
        (await FileStateAsync(heir, file)).ShouldBe("registered");

        await first.KillAsync();

        await Eventually.HoldsAsync(async () => await FileStateAsync(heir, file) == "added", "its Add is in the feed");
        var late = await cluster.StartFollowerAsync("c");
        await TestCluster.StoredAsync(late, file.Key.ToString());
    }

    private static async Task<string?> FileStateAsync(NodeProcess node, TestFile file) =>
        (await node.GetJsonAsync($"/v1/files/{file.Key}")).GetProperty("fileState").GetString();
}
