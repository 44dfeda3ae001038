using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed;

public sealed class PendingAddTests
{
    [Thorough]
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

    [Thorough]
    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public async Task A_leader_that_is_killed_between_storing_a_file_of_a_share_and_its_Add_is_made_up_for_by_whoever_leads_next(
        string next
    )
    {
        await using var cluster = await TestCluster.CreateAsync();
        var file = TestFile.Of(100_000);
        var folder = Directory.CreateDirectory(Path.Combine(cluster.Folder, "share")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(folder, file.Key.ToHex()), file.Content);
        await using var share = await StaticServer.StartAsync(folder);
        (string, string)[] settings =
        [
            ("FileTransfer__Sources__0__Name", "mirror"),
            ("FileTransfer__Sources__0__Url", share.Http.BaseAddress!.ToString()),
        ];
        var first = await cluster.StartLeaderAsync("a", settings);

        // The Add waits for the bin as long as this transaction lasts.
        await using (var connection = await cluster.Database.Pool.OpenConnectionAsync())
        await using (await connection.BeginTransactionAsync())
        {
            await using var hold = connection.CreateCommand();
            hold.CommandText = "SELECT FROM filetransfer.bins FOR UPDATE";
            await hold.ExecuteNonQueryAsync();
            await file.WantAtAsync(first);
            await TestCluster.StoredAsync(first, file.Key.ToString());
            await first.KillAsync();
        }

        var heir = await cluster.StartLeaderAsync(next, next == "a" ? settings : []);
        await Eventually.HoldsAsync(
            async () => await FileStateAsync(heir, file) == "added",
            "its Add is in the feed",
            TimeSpan.FromSeconds(10)
        );
    }

    private static async Task<string?> FileStateAsync(NodeProcess node, TestFile file) =>
        (await node.GetJsonAsync($"/v1/files/{file.Key}")).GetProperty("fileState").GetString();
}
