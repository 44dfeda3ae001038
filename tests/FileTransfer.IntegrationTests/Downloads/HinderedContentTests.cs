using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>What is wrong with the place of one content is no trouble of the disk. The node remembers it for a minute, so it has a cluster of its own.</summary>
public sealed class HinderedContentTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    [Thorough]
    [Fact]
    public async Task What_lies_in_the_place_of_the_folder_of_one_content_holds_up_that_file_alone()
    {
        await using var source = await cluster.StartSourceAsync();
        var files = new List<TestFile>();
        for (var number = 0; number < 6; number++)
        {
            files.Add(await source.OfferAsync(TestFile.Of(number == 1 ? 1_000_000 : 100_000 + number)));
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
            (await cluster.ReplicaAsync(file))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);
        }

        await cluster.Follower.CheckSaysAsync("disk", "degraded", "a download cannot be written");
        cluster.Follower.Log.ShouldNotContain("lost its database session", Case.Sensitive);
        foreach (var file in hindered)
        {
            File.Delete(FolderOf(file));
            await cluster.StoredAsync(file);
        }
    }

    private string FolderOf(TestFile file)
    {
        var hex = file.Fingerprint.ToHex();
        return Path.Combine(cluster.Follower.DataDirectory, "content", hex[..2], hex[2..4]);
    }
}
