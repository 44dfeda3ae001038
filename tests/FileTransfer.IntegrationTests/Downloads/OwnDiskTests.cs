using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>Trouble of a node's own disk is its own: nothing is spent, health says what to mend, and all goes on when it is mended.</summary>
public sealed class OwnDiskTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    [Thorough]
    [Theory]
    [InlineData("missing", "a folder is missing")]
    [InlineData("file", "a file is where a folder belongs")]
    public async Task A_folder_of_the_store_that_is_gone_pauses_downloads_and_they_go_on_when_it_is_back(
        string fault,
        string says
    )
    {
        await using var source = await cluster.StartSourceAsync();
        var folder = Path.Combine(cluster.Follower.DataDirectory, "partial");
        Directory.Move(folder, folder + ".away");
        if (fault == "file")
        {
            await File.WriteAllTextAsync(folder, "");
        }

        var file = await source.OfferAsync(TestFile.Of(1_000_000));
        await file.WantAtAsync(cluster.Follower);
        await cluster.Follower.CheckSaysAsync("disk", "degraded", says);
        await NothingWasSpentOnAsync(file);

        File.Delete(folder);
        Directory.Move(folder + ".away", folder);
        await cluster.StoredAsync(file);
        await cluster.Follower.CheckSaysAsync("disk", "healthy", "there is room");
    }

    [Thorough]
    [SmallDiskFact]
    public async Task A_disk_without_inodes_is_called_that_and_waited_for()
    {
        await using var own = await TestCluster.CreateAsync();
        using var disk = new SmallDisk(own.FolderOf("b"), 64);
        var follower = await own.StartFollowerAsync(
            "b",
            [.. SourceCluster.Impatient, ("FileTransfer__Store__FreeSpaceFloorBytes", "0")]
        );
        await follower.CheckSaysAsync("membership", "healthy");
        await using var source = await FakeSource.StartAsync(own.Database, "source");
        var file = await source.OfferAsync(TestFile.Of(1_000_000));
        disk.UseUpInodes();

        await file.WantAtAsync(follower);

        await follower.CheckSaysAsync("disk", "degraded", "No inodes left");
        (await own.Database.ScalarAsync<int>("SELECT max(attempts) FROM filetransfer.replicas WHERE node_id = 'b'")).ShouldBe(0);
        disk.Allow("nr_inodes=100000");
        await TestCluster.StoredAsync(follower, file.Key.ToString());
    }

    private async Task NothingWasSpentOnAsync(TestFile file) =>
        (await cluster.ReplicaAsync(file))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);
}
