using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>Memory does not grow with the size of files; the disk keeps its floor, and a full one is waited out.</summary>
public sealed class BoundedTests
{
    private const long Mebibyte = 1024 * 1024;
    private const long Most = 200 * Mebibyte;

    private static readonly (string, string)[] Quick = [("FileTransfer__Downloads__PollInterval", "00:00:00.100")];

    [Thorough]
    [SmallDiskFact]
    public async Task A_disk_that_fills_up_during_a_download_pauses_it_and_it_goes_on_where_it_was_when_there_is_room()
    {
        const int size = 16_000_000;
        await using var cluster = await TestCluster.CreateAsync();
        using var disk = new SmallDisk(cluster.FolderOf("b"), 32);
        var follower = await StartAsync(cluster, [.. Quick, ("FileTransfer__Downloads__WindowBytes", "1048576")]);
        await using var source = await FakeSource.StartAsync(cluster.Database, "source");
        var file = await source.OfferAsync(TestFile.Of(size));
        source.BytesPerSecond = 4_000_000;
        await file.WantAtAsync(follower);
        var proven = 0L;
        await Eventually.HoldsAsync(async () => (proven = await ProvenAsync(follower, file)) > size / 8, "an eighth is proven");

        disk.Fill();

        await DiskIsAsync(follower, "degraded", "data");
        await Eventually.HoldsAsync(() => Task.FromResult(source.Open == 0), "nothing is fetched");
        (await follower.StateOfAsync(file.Key.ToString())).ShouldBeOneOf("wanted", "downloading");
        Directory.EnumerateDirectories(Path.Combine(follower.DataDirectory, "partial")).Count().ShouldBe(1);
        await DiskIsAsync(follower, "degraded", "No space left");

        (await ProvenAsync(follower, file)).ShouldBeGreaterThanOrEqualTo(proven);

        source.BytesPerSecond = 0;
        disk.MakeRoom();

        await TestCluster.StoredAsync(follower, file.Key.ToString());
        (await follower.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content")).ShouldBe(file.Content);
        // What had come and was not read when the disk was full was not proven.
        (source.BytesSent - (size / 1024 * 1032L)).ShouldBeLessThan(2 * 1024 * 1032, "what was proven is not fetched again");
        await DiskIsAsync(follower, "healthy", "there is room");
    }

    [Thorough]
    [SmallDiskFact]
    public async Task Below_the_floor_of_free_space_no_download_starts_and_above_it_they_go_on_by_themselves()
    {
        await using var cluster = await TestCluster.CreateAsync();
        using var disk = new SmallDisk(cluster.FolderOf("b"), 32);
        disk.Fill(24 * 1024 * 1024);
        var follower = await StartAsync(cluster, [.. Quick, ("FileTransfer__Store__FreeSpaceFloorBytes", "16777216")]);
        await using var source = await FakeSource.StartAsync(cluster.Database, "source");
        var file = await source.OfferAsync(TestFile.Of(100_000));
        await file.WantAtAsync(follower);

        await DiskIsAsync(follower, "degraded", "16777216 must stay free");
        source.Requests.ShouldBe(0);

        disk.MakeRoom();
        await TestCluster.StoredAsync(follower, file.Key.ToString());
    }

    [Thorough]
    [Fact]
    public async Task Neither_leader_nor_follower_needs_more_memory_for_a_larger_file()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b", Quick);
        await ReplicateAsync(Showing.Of(small: 40, full: 1024) * Mebibyte);
        var (leaderBefore, followerBefore) = (PeakBytes(leader), PeakBytes(follower));

        await ReplicateAsync(Showing.Of(small: 160, full: 8 * 1024) * Mebibyte);

        foreach (var (node, before) in ((NodeProcess, long)[])[(leader, leaderBefore), (follower, followerBefore)])
        {
            var grown = Showing.Of(small: 40, full: 10) * Mebibyte;
            var most = Showing.Of(small: 300 * Mebibyte, full: Most);
            Showing.Tell($"Peak resident memory of {node.Id}, 8 GiB", PeakBytes(node) / 1e6, most / 1e6, "MB");
            (PeakBytes(node) - before).ShouldBeLessThan(grown, node.Id);
            PeakBytes(node).ShouldBeLessThan(most, node.Id);
        }

        async Task ReplicateAsync(long size)
        {
            await using var content = new FileStream(
                Path.Combine(cluster.Folder, "content"),
                new FileStreamOptions
                {
                    Mode = FileMode.Create,
                    Access = FileAccess.ReadWrite,
                    Options = FileOptions.DeleteOnClose,
                }
            );
            content.SetLength(size);
            using var body = new StreamContent(content, 256 * 1024);
            using var put = await leader.Http.PostAsync($"/v1/files?owner=0x01&bucket=0x02&location={size}", body);
            var key = (await put.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key");
            await TestCluster.StoredAsync(follower, key.GetString()!, within: TimeSpan.FromMinutes(Showing.Of(1, 10)));
            using var got = await follower.Http.GetAsync(
                $"/v1/files/{key.GetString()}/content",
                HttpCompletionOption.ResponseHeadersRead
            );
            await (await got.EnsureSuccessStatusCode().Content.ReadAsStreamAsync()).CopyToAsync(Stream.Null);
        }
    }

    [Thorough]
    [Fact]
    public async Task Many_small_files_take_little_memory_and_a_node_at_rest_gives_most_of_that_back()
    {
        const int group = 500;
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b", Quick);
        for (var files = 0; files < Showing.Of(small: 4_000, full: 20_000); files += group)
        {
            var batch = Enumerable.Range(0, group).Select(_ => PlainFile.Random(8192)).ToList();
            (await leader.PutAsync(PlainBatch.Of(batch))).ShouldAllBe(line => line.Status() == 201);
            await TestCluster.StoredAsync(follower, batch[^1].Key);
        }

        foreach (var node in (NodeProcess[])[leader, follower])
        {
            Showing.Tell($"Peak resident memory of {node.Id}, small files", PeakBytes(node) / 1e6, Most / 1e6, "MB");
            PeakBytes(node).ShouldBeLessThan(Most, node.Id);
            await Eventually.HoldsAsync(
                () => Task.FromResult(node.ResidentBytes < PeakBytes(node) - (10 * Mebibyte)),
                $"{node.Id} has given memory back: {node.ResidentBytes} of {PeakBytes(node)} bytes are left"
            );
            Showing.Tell($"Resident memory of {node.Id} at rest", node.ResidentBytes / 1e6, Most / 1e6, "MB");
        }
    }

    private static async Task<NodeProcess> StartAsync(TestCluster cluster, (string, string)[] settings)
    {
        var follower = await cluster.StartFollowerAsync("b", settings);
        await Eventually.HoldsAsync(
            () => cluster.Database.ScalarAsync<bool>("SELECT to_regclass('filetransfer.replicas') IS NOT NULL"),
            "the tables are there"
        );
        return follower;
    }

    private static async Task<long> ProvenAsync(NodeProcess node, TestFile file) =>
        (await node.GetJsonAsync($"/v1/files/{file.Key}"))
            .GetProperty("replicas")
            .EnumerateArray()
            .Single(replica => replica.GetProperty("node").GetString() == node.Id)
            .GetProperty("bytesProven")
            .GetInt64();

    private static Task DiskIsAsync(NodeProcess node, string status, string detail) =>
        Eventually.HoldsAsync(
            async () =>
            {
                var disk = (await node.GetJsonAsync("/health/ready")).GetProperty("checks").GetProperty("disk");
                return disk.GetProperty("status").GetString() == status
                    && disk.GetProperty("detail").GetString()!.Contains(detail, StringComparison.Ordinal);
            },
            $"the disk is {status}: {detail}"
        );

    private static long PeakBytes(NodeProcess node) =>
        1024
        * long.Parse(
            File.ReadLines($"/proc/{node.Pid}/status")
                .First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
            CultureInfo.InvariantCulture
        );
}
