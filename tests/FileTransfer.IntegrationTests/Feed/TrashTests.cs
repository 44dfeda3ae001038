using System.Net;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed;

/// <summary>The contents of removed files are kept for a while, unseen, and a file comes back from them.</summary>
public sealed class TrashTests
{
    private static readonly (string, string) _long = ("FileTransfer__Store__TrashPeriod", "01:00:00");
    private static readonly (string, string) _short = ("FileTransfer__Store__TrashPeriod", "00:00:02");

    [Fact]
    public async Task A_removed_file_is_unseen_and_comes_back_from_what_nodes_keep_unless_it_is_removed_for_good()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a", _long);
        var follower = await cluster.StartFollowerAsync("b", _long);
        var hasty = await cluster.StartFollowerAsync("c", _short);
        PlainFile[] files = [PlainFile.Random(200_000), PlainFile.Random(5_000), PlainFile.Random(70_000)];
        foreach (var file in files)
        {
            await leader.StoreAsync(file);
            await TestCluster.StoredAsync(follower, file.Key);
            await TestCluster.StoredAsync(hasty, file.Key);
            await RemoveAsync(leader, file);
            await KeptAsync(leader, file, "a");
            await KeptAsync(leader, file, "b");
            foreach (var node in (NodeProcess[])[leader, follower])
            {
                using var read = await node.Http.GetAsync($"/download/{file.Key}");
                read.StatusCode.ShouldBe(HttpStatusCode.NotFound);
                IsOnDisk(node, file).ShouldBeTrue();
            }

            await GoneAsync(hasty, file, "its period is over");
        }

        // What is only kept is nothing that anybody waits for.
        (await follower.GetJsonAsync($"/v1/files/{files[0].Key}/explain"))
            .GetProperty("says")
            .EnumerateArray()
            .ShouldContain(line => line.GetString()!.StartsWith("Its content is kept here until ", StringComparison.Ordinal));
        await Eventually.HoldsAsync(
            async () =>
                (await leader.GetJsonAsync("/v1/nodes"))
                    .GetProperty("nodes")
                    .EnumerateArray()
                    .All(node => node.GetProperty("removing").GetInt64() == 0),
            "no node has anything to do"
        );

        foreach (var file in files[..2])
        {
            (await RestoreAsync(leader, file)).StatusCode.ShouldBe(HttpStatusCode.Created);
            await file.ShouldBeStoredAsync(leader);
            (await RestoreAsync(leader, file)).StatusCode.ShouldBe(HttpStatusCode.OK);
            await TestCluster.StoredAsync(follower, file.Key);
            await file.ShouldBeStoredAsync(follower);
            await TestCluster.StoredAsync(hasty, file.Key);
        }

        await RemoveAsync(leader, files[0], "?now=true");
        await RemoveAsync(leader, files[2], "?now=true");
        foreach (var file in (PlainFile[])[files[0], files[2]])
        {
            await GoneAsync(leader, file, "it was removed for good");
            await GoneAsync(follower, file, "it was removed for good");
            using var refused = await RestoreAsync(leader, file);
            await refused.ShouldBeProblemAsync(409, "file-not-kept", file.Key);
        }
    }

    [Thorough]
    [Fact]
    public async Task What_is_kept_goes_before_its_time_where_the_disk_needs_the_room()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a", _long);
        var file = PlainFile.Random(200_000);
        await leader.StoreAsync(file);
        await RemoveAsync(leader, file);
        await KeptAsync(leader, file, "a");
        await leader.StopAsync();

        leader = await cluster.StartLeaderAsync("a", _long, ("FileTransfer__Store__FreeSpaceFloorBytes", $"{long.MaxValue / 2}"));

        await GoneAsync(leader, file, "the disk is below its floor");
    }

    private static async Task RemoveAsync(NodeProcess leader, PlainFile file, string query = "")
    {
        using var removed = await leader.Http.DeleteAsync($"/v1/files/{file.Key}{query}");
        removed.StatusCode.ShouldBe(HttpStatusCode.NoContent, await removed.Content.ReadAsStringAsync());
    }

    private static Task<HttpResponseMessage> RestoreAsync(NodeProcess leader, PlainFile file) =>
        leader.Http.PostAsync($"/v1/files/{file.Key}/restore", null);

    private static Task KeptAsync(NodeProcess leader, PlainFile file, string node) =>
        Eventually.HoldsAsync(
            async () =>
                (await leader.GetJsonAsync($"/v1/files/{file.Key}"))
                    .GetProperty("replicas")
                    .EnumerateArray()
                    .Any(replica =>
                        replica.GetProperty("node").GetString() == node
                        && replica.GetProperty("state").GetString() == "removing"
                        && replica.GetProperty("nextAttemptAt").ValueKind == JsonValueKind.String
                        && replica.GetProperty("reason").GetString()!.Contains("kept", StringComparison.Ordinal)
                    ),
            $"{node} keeps {file.Key}"
        );

    private static Task GoneAsync(NodeProcess node, PlainFile file, string why) =>
        Eventually.HoldsAsync(() => Task.FromResult(!IsOnDisk(node, file)), $"{file.Key} is gone from {node.Id}: {why}");

    private static bool IsOnDisk(NodeProcess node, PlainFile file) =>
        StoredOnDisk.Holds(node.DataDirectory, file.Fingerprint[2..]);
}
