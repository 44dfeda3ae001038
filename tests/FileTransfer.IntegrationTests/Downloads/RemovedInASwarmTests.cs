using System.Net.Http.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>A file is removed while four nodes download it, and pass on what they have.</summary>
public sealed class RemovedInASwarmTests
{
    [Thorough]
    [Fact]
    public async Task A_file_removed_while_four_nodes_pass_it_on_ends_at_all_of_them_and_comes_whole_when_it_is_added_again()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a", ("FileTransfer__Limits__Upload", "2MB/s"));
        var followers = await Task.WhenAll(Enumerable.Range(1, 4).Select(i => cluster.StartFollowerAsync($"f{i}")));
        var content = ReplicationTests.Content(5, 30_000_000);
        var key = await leader.PutAsync(content, "removed");
        await Eventually.HoldsAsync(
            () => Task.FromResult(followers.All(PassesOn) || followers.Sum(PartsSent) > 4),
            "the followers pass on what they have"
        );

        (await leader.Http.DeleteAsync($"/v1/files/{key}")).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(
            async () =>
                await cluster.Database.ScalarAsync<long>("SELECT count(*) FROM filetransfer.replicas") == 0
                && followers.All(follower => Directory.GetFileSystemEntries(Partials(follower)).Length == 0),
            "nobody has anything of it"
        );
        followers.ShouldAllBe(follower => !follower.Log.Contains("sent wrong bytes"));

        (await leader.Http.PutAsJsonAsync("/v1/limits", new { upload = "1GB/s" })).EnsureSuccessStatusCode();
        (await leader.PutAsync(content, "removed")).ShouldBe(key);
        foreach (var follower in followers)
        {
            await TestCluster.StoredAsync(follower, key, TimeSpan.FromMinutes(2));
            (await follower.Http.GetByteArrayAsync($"/v1/files/{key}/content")).ShouldBe(content);
        }
    }

    private static bool PassesOn(NodeProcess follower) => PartsSent(follower) > 0;

    private static int PartsSent(NodeProcess follower) =>
        follower.Log.Split('\n').Count(line => line.Contains("/content 206", StringComparison.Ordinal));

    private static string Partials(NodeProcess follower) => Path.Combine(follower.DataDirectory, "partial");
}
