using FileTransfer.Chunks.Ledger;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Chunks.Ledger;

public sealed class FolderLedgerTests
{
    [Thorough]
    [Fact]
    public async Task Folders_of_killed_nodes_name_all_they_stored_and_what_was_removed()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        var small = await leader.PutAsync(Bytes(1, 1000), "small");
        var large = await leader.PutAsync(Bytes(2, 100_000), "large");
        var removed = await leader.PutAsync(Bytes(3, 2000), "removed");
        foreach (var key in (string[])[small, large, removed])
        {
            await TestCluster.StoredAsync(follower, key);
        }

        (await leader.Http.DeleteAsync($"/v1/files/{removed}")).EnsureSuccessStatusCode();
        foreach (var node in (NodeProcess[])[leader, follower])
        {
            await Eventually.HoldsAsync(() => Task.FromResult(KnowsAll(node, removed)), $"the folder of {node.Id} has followed");
            await node.KillAsync();
        }

        var epoch = await cluster.Database.ScalarAsync<Guid>("SELECT feed_epoch FROM filetransfer.cluster");
        foreach (var node in (NodeProcess[])[leader, follower])
        {
            using var folder = StoppedLedger.Open(node.DataDirectory);
            var files = folder.Files().ToDictionary(file => file.Key.ToString());
            files.Keys.ShouldBe([small, large], ignoreOrder: true);
            files[small].Metadata.Location.AsUtf8().ShouldBe("small");
            files[large].Metadata.Owner.ShouldBe(new ByteString([1]));
            files.Values.ShouldAllBe(file => file.Added == new FeedPosition(epoch, 1) || file.Added!.Value.Sequence > 1);
            files.Values.ShouldAllBe(file => file.IsPinned == (node == leader));
            folder.Removals().ShouldHaveSingleItem().Key.ToString().ShouldBe(removed);
            folder.Epochs().ShouldHaveSingleItem().Epoch.ShouldBe(epoch);
        }
    }

    [Thorough]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_folder_of_before_or_with_a_damaged_engine_remembers_all_again_by_itself(bool damaged)
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var node = await cluster.StartFollowerAsync("b");
        var keys = new List<string>();
        foreach (var size in (int[])[1000, 2000, 100_000])
        {
            keys.Add(await leader.PutAsync(Bytes(size, size), $"file-{size}"));
            await TestCluster.StoredAsync(node, keys[^1]);
        }

        await node.StopAsync();
        var engine = Path.Combine(node.DataDirectory, "small.db");
        if (damaged)
        {
            await File.WriteAllTextAsync(engine, "Not what a database begins with, and long enough to be looked at.");
        }
        else
        {
            File.Delete(engine);
            Directory
                .EnumerateFiles(Path.Combine(node.DataDirectory, "content"), "*.files", SearchOption.AllDirectories)
                .ToList()
                .ForEach(File.Delete);
        }

        node = await cluster.StartFollowerAsync("b");
        await node.SaysAsync("was rebuilt");
        foreach (var key in keys)
        {
            // The small contents went with the engine; they come from the leader again.
            await TestCluster.StoredAsync(node, key);
            (await node.Http.GetByteArrayAsync($"/v1/files/{key}/content")).ShouldBe(
                await leader.Http.GetByteArrayAsync($"/v1/files/{key}/content")
            );
        }

        await node.StopAsync();

        using var folder = StoppedLedger.Open(node.DataDirectory);
        folder.Files().Select(file => file.Key.ToString()).ShouldBe(keys, ignoreOrder: true);
        node.Log.Contains("was set aside as", StringComparison.Ordinal).ShouldBe(damaged);
        File.Exists(Path.Combine(node.DataDirectory, "quarantine", "small.db")).ShouldBe(damaged);
    }

    /// <summary>A look from beside: the engine of a running node is opened as a second reader.</summary>
    private static bool KnowsAll(NodeProcess node, string removed)
    {
        using var folder = StoppedLedger.Open(node.DataDirectory);
        return folder.Removals().Any(removal => removal.Key.ToString() == removed)
            && folder.Files().All(file => file.Added is not null);
    }

    private static byte[] Bytes(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
