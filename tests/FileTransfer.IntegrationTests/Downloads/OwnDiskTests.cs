using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>Trouble of a node's own disk is its own: nothing is spent, health says what to mend, and all goes on when it is mended.</summary>
public sealed class OwnDiskTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
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
        await DiskSaysAsync(cluster.Follower, "degraded", says);
        await NothingWasSpentOnAsync(file);

        File.Delete(folder);
        Directory.Move(folder + ".away", folder);
        await cluster.StoredAsync(file);
        await DiskSaysAsync(cluster.Follower, "healthy", "there is room");
    }

    [Fact]
    public async Task What_lies_in_the_place_of_the_folder_of_one_content_holds_up_that_file_alone()
    {
        await using var source = await cluster.StartSourceAsync();
        var files = new List<TestFile>();
        for (var number = 0; number < 6; number++)
        {
            files.Add(await source.OfferAsync(TestFile.Of(number == 1 ? 1_000_000 : 5_000 + number)));
        }

        var hindered = files[..2];
        foreach (var file in hindered)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(FolderOf(file))!);
            await File.WriteAllTextAsync(FolderOf(file), "");
        }

        foreach (var file in files)
        {
            await file.WantAtAsync(cluster.Follower);
        }

        foreach (var file in files[2..])
        {
            await cluster.StoredAsync(file);
        }

        foreach (var file in hindered)
        {
            await cluster.ReplicaIsAsync(file, "wanted", "the disk of node 'b' failed");
            await NothingWasSpentOnAsync(file);
        }

        await DiskSaysAsync(cluster.Follower, "degraded", "a download cannot be written");
        cluster.Follower.Log.ShouldNotContain("lost its database session", Case.Sensitive);
        foreach (var file in hindered)
        {
            File.Delete(FolderOf(file));
            await cluster.StoredAsync(file);
        }
    }

    [SmallDiskFact]
    public async Task A_disk_without_inodes_is_called_that_and_waited_for()
    {
        await using var own = await TestCluster.CreateAsync();
        using var disk = new SmallDisk(own.FolderOf("b"), 64);
        var follower = await own.StartFollowerAsync(
            "b",
            [.. SourceCluster.Impatient, ("FileTransfer__Store__FreeSpaceFloorBytes", "0")]
        );
        await CheckSaysAsync(follower, "presence", "healthy", "");
        await using var source = await FakeSource.StartAsync(own.Database, "source");
        var file = await source.OfferAsync(TestFile.Of(1_000_000));
        disk.UseUpInodes();

        await file.WantAtAsync(follower);

        await DiskSaysAsync(follower, "degraded", "No inodes left");
        (await own.Database.ScalarAsync<int>("SELECT max(attempts) FROM filetransfer.replicas WHERE node_id = 'b'")).ShouldBe(0);
        disk.Allow("nr_inodes=100000");
        await TestCluster.StoredAsync(follower, file.Key.ToString());
    }

    private async Task NothingWasSpentOnAsync(TestFile file) =>
        (await cluster.ReplicaAsync(file))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);

    private string FolderOf(TestFile file)
    {
        var hex = file.Fingerprint.ToHex();
        return Path.Combine(cluster.Follower.DataDirectory, "content", hex[..2], hex[2..4]);
    }

    private static Task DiskSaysAsync(NodeProcess node, string status, string detail) =>
        CheckSaysAsync(node, "disk", status, detail);

    private static Task CheckSaysAsync(NodeProcess node, string name, string status, string detail) =>
        Eventually.HoldsAsync(
            async () =>
            {
                var check = (await node.GetJsonAsync("/health/ready")).GetProperty("checks").GetProperty(name);
                return check.GetProperty("status").GetString() == status
                    && check.GetProperty("detail").GetString()!.Contains(detail);
            },
            $"the check {name} is {status}: {detail}"
        );
}
