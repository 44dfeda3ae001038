using System.Net;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed;

/// <summary>The disk of a cluster is full to which another ships, or which pulls from it.</summary>
public sealed class FullDiskTests
{
    private const int MiB = 1024 * 1024;

    [Thorough]
    [SmallDiskFact]
    public async Task A_shipment_that_meets_a_full_disk_is_told_without_its_contents_and_they_come_when_a_removal_has_made_room()
    {
        await using var clusters = new TwoClusters();
        var up = await clusters.StartAsync("up");
        var cluster = await clusters.CreateAsync();
        using var disk = new SmallDisk(cluster.FolderOf("a"), mebibytes: 32);
        var down = await TwoClusters.StartIn(
            cluster,
            "down",
            [("FileTransfer__Sync__AcceptFrom__0", "up"), .. SourceCluster.Impatient]
        );
        await up.ShipToAsync("archive", down.Url);
        var (large, others) = await FillAsync(up, down, disk);

        var wanted = await StoreAsync(up, [1 * MiB, 8192, 5 * MiB, 100_000]);
        await up.SaysAsync("Follower archive at " + down.Url + " has no room for contents that were shipped");
        await WaitAsync(down, wanted);
        (await up.FollowerIsAsync("archive", "inStep")).GetProperty("lagEntries").GetInt64().ShouldBe(0);
        await MakeRoomAsync(up, down, large, others, wanted);
    }

    [Thorough]
    [SmallDiskFact]
    public async Task What_is_pulled_onto_a_full_disk_waits_for_room_and_comes_when_a_removal_has_made_it()
    {
        await using var clusters = new TwoClusters();
        var up = await clusters.StartAsync("up");
        var cluster = await clusters.CreateAsync();
        using var disk = new SmallDisk(cluster.FolderOf("a"), mebibytes: 32);
        var down = await TwoClusters.StartIn(
            cluster,
            "down",
            [.. TwoClusters.PullingFrom(("up", up.Url)), .. SourceCluster.Impatient]
        );
        var (large, others) = await FillAsync(up, down, disk);

        var wanted = await StoreAsync(up, [1 * MiB, 8192, 5 * MiB, 100_000]);
        await WaitAsync(down, wanted);
        await down.InStepWithAsync("up");
        (await down.UpstreamAsync("up")).GetProperty("lacking").GetInt32().ShouldBe(wanted.Count);
        await MakeRoomAsync(up, down, large, others, wanted);
        await Eventually.HoldsAsync(
            async () => (await down.UpstreamAsync("up")).GetProperty("lacking").GetInt32() == 0,
            "nothing is lacking"
        );
    }

    /// <summary>Some files are at both, one of them large, and then the disk is full.</summary>
    private static async Task<(PlainFile Large, List<PlainFile> Others)> FillAsync(
        NodeProcess up,
        NodeProcess down,
        SmallDisk disk
    )
    {
        var files = await StoreAsync(up, [10 * MiB, 8192, 100_000]);
        foreach (var file in files)
        {
            await TestCluster.StoredAsync(down, file.Key);
        }

        disk.Fill();
        return (files[0], files[1..]);
    }

    /// <summary>The files are known and wait, health says for what, and none has spent an attempt.</summary>
    private static async Task WaitAsync(NodeProcess down, IEnumerable<PlainFile> wanted)
    {
        await down.CheckSaysAsync("disk", "degraded", "are free");
        foreach (var file in wanted)
        {
            await Eventually.HoldsAsync(
                async () => await down.StateOfAsync(file.Key) is "wanted" or "downloading",
                $"{file.Key} waits"
            );
            var replica = (await down.GetJsonAsync($"/v1/files/{file.Key}")).GetProperty("replicas")[0];
            replica.GetProperty("attempts").GetInt32().ShouldBe(0, $"{replica}");
        }
    }

    private static async Task MakeRoomAsync(
        NodeProcess up,
        NodeProcess down,
        PlainFile large,
        IEnumerable<PlainFile> others,
        IEnumerable<PlainFile> wanted
    )
    {
        foreach (var file in others)
        {
            await file.ShouldBeStoredAsync(down);
        }

        (await up.DeleteAsync(large.Key)).ShouldBe(HttpStatusCode.NoContent);
        await down.RemovedAsync(large.Key);
        foreach (var file in others.Concat(wanted))
        {
            await TestCluster.StoredAsync(down, file.Key);
            await file.ShouldBeStoredAsync(down);
        }

        await down.CheckSaysAsync("disk", "healthy");
    }

    private static async Task<List<PlainFile>> StoreAsync(NodeProcess node, int[] sizes)
    {
        List<PlainFile> files = [.. sizes.Select(size => PlainFile.Random(size))];
        foreach (var file in files)
        {
            await node.StoreAsync(file);
        }

        return files;
    }
}
