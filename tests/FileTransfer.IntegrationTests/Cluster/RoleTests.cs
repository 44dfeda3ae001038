using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Cluster;

/// <summary>What a leader and a follower each answer.</summary>
[Collection(SharedNodes.Name)]
public sealed class RoleTests(RunningCluster nodes)
{
    [Fact]
    public async Task A_file_registered_at_a_follower_is_wanted_there_at_once()
    {
        var file = PlainFile.Random(5000);

        using var registered = await nodes.Follower.RegisterAsync(file.Key, file.Metadata());
        using var again = await nodes.Follower.RegisterAsync(file.Key, file.Metadata());

        registered.StatusCode.ShouldBe(HttpStatusCode.Created);
        again.StatusCode.ShouldBe(HttpStatusCode.OK);
        var replica = (await registered.Content.ReadFromJsonAsync<JsonElement>())
            .GetProperty("replicas")
            .EnumerateArray()
            .ShouldHaveSingleItem();
        replica.GetProperty("node").GetString().ShouldBe("b");
        (await nodes.Leader.StateOfAsync(file.Key)).ShouldBe("absent");

        using var atLeader = await nodes.Leader.RegisterAsync(file.Key, file.Metadata());
        atLeader.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var upload = await nodes.Leader.UploadAsync(file.Key, file.Framed);
        await upload.ShouldBeEmptyOkAsync();
        await TestCluster.StoredAsync(nodes.Follower, file.Key);
    }

    [Fact]
    public async Task A_follower_refuses_what_only_a_leader_does_and_names_the_leader()
    {
        var file = PlainFile.Random(5000);
        await nodes.Leader.RegisterAsync(file);
        using var raw = new ByteArrayContent([1, 2, 3]);
        HttpResponseMessage[] refusals =
        [
            await nodes.Follower.Http.DeleteAsync($"/v1/files/{file.Key}"),
            await nodes.Follower.UploadAsync(file.Key, file.Framed),
            await nodes.Follower.Http.PostAsync("/v1/files?owner=0x01&bucket=0x02&location=x", raw),
        ];

        foreach (var refusal in refusals)
        {
            var url = UrlOf(nodes.Leader);
            var problem = await refusal.ShouldBeProblemAsync(421, "not-leader", "'b'", "'a'", url);
            problem.GetProperty("leader").GetString().ShouldBe("a");
            problem.GetProperty("leaderUrl").GetString().ShouldBe(url);
            refusal.Dispose();
        }

        (await nodes.Leader.StateOfAsync(file.Key)).ShouldBe("wanted");
    }

    [Fact]
    public async Task Every_node_tells_who_leads()
    {
        foreach (var node in new[] { nodes.Leader, nodes.Follower })
        {
            var leader = await node.GetJsonAsync("/v1/leader");

            leader.GetProperty("node").GetString().ShouldBe("a");
            leader.GetProperty("url").GetString().ShouldBe(UrlOf(nodes.Leader));
            leader.GetProperty("epoch").GetInt64().ShouldBe(1);
            leader.GetProperty("since").GetDateTimeOffset().ShouldBeLessThanOrEqualTo(DateTimeOffset.UtcNow.AddMinutes(1));
        }
    }

    [Fact]
    public async Task Every_node_lists_the_nodes_with_their_roles_and_replicas()
    {
        var file = PlainFile.Random(5000);
        await nodes.Leader.StoreAsync(file);
        await TestCluster.StoredAsync(nodes.Follower, file.Key);
        foreach (var node in new[] { nodes.Leader, nodes.Follower })
        {
            var cluster = await node.GetJsonAsync("/v1/nodes");

            cluster.GetProperty("cluster").GetString().ShouldBe("default");
            cluster.GetProperty("leader").GetString().ShouldBe("a");
            var listed = cluster.GetProperty("nodes").EnumerateArray().ToList();
            listed.Select(one => one.GetProperty("node").GetString()).ShouldBe(["a", "b"]);
            listed.Select(one => one.GetProperty("role").GetString()).ShouldBe(["leader", "follower"]);
            listed.Select(one => one.GetProperty("configuredRole").GetString()).ShouldBe(["auto", "follower"]);
            listed.Select(one => one.GetProperty("url").GetString()).ShouldBe([UrlOf(nodes.Leader), UrlOf(nodes.Follower)]);
            foreach (var one in listed)
            {
                one.GetProperty("alive").GetBoolean().ShouldBeTrue();
                one.GetProperty("stored").GetInt64().ShouldBeGreaterThan(0);
                one.GetProperty("startedAt")
                    .GetDateTimeOffset()
                    .ShouldBeLessThanOrEqualTo(one.GetProperty("seenAt").GetDateTimeOffset());
                foreach (var count in (string[])["wanted", "downloading", "failed", "removing", "lag"])
                {
                    one.GetProperty(count).GetInt64().ShouldBeGreaterThanOrEqualTo(0);
                }
            }
        }
    }

    /// <summary>As it is configured, without a path.</summary>
    private static string UrlOf(NodeProcess node) => $"{node.Url.Scheme}://{node.Url.Authority}";
}
