using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Wants.Policies;

/// <summary>Policies outlive the process, and a node that starts follows them.</summary>
public sealed class PolicyRestartTests
{
    [Thorough]
    [Fact]
    public async Task A_killed_node_knows_its_policies_follows_what_changed_meanwhile_and_finishes_what_was_begun()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        await follower.SetPolicyAsync("nothing-except", ["prefix:utf8:kept/"]);
        var (kept, other) = (await leader.PutAsync([1], "kept/1"), await leader.PutAsync([2], "other/1"));
        await TestCluster.StoredAsync(follower, kept);
        await follower.KillAsync();
        var later = await leader.PutAsync([3], "other/2");
        var keptLater = await leader.PutAsync([4], "kept/2");

        follower = await cluster.StartFollowerAsync("b");
        await TestCluster.StoredAsync(follower, keptLater);
        (await follower.StateOfAsync(other)).ShouldBe("absent");
        (await follower.StateOfAsync(later)).ShouldBe("absent");
        (await follower.GetJsonAsync("/v1/buckets/0x02/policy")).GetProperty("kind").GetString().ShouldBe("nothing-except");
        (await follower.MissingAsync()).ShouldBeEmpty();

        await follower.KillAsync();
        await cluster.Database.ExecuteAsync(
            "UPDATE filetransfer.policies SET kind = 'everything-except', prefixes = '{}' WHERE node_id = 'b'"
        );
        follower = await cluster.StartFollowerAsync("b");
        foreach (var key in new[] { kept, keptLater, other, later })
        {
            await TestCluster.StoredAsync(follower, key);
        }
    }
}
