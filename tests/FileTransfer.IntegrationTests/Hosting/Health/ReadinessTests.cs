using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Hosting.Health;

/// <summary>Each check is provoked on a real node, and is true to its name.</summary>
public sealed class ReadinessTests
{
    [Fact]
    public async Task Every_check_tells_what_is_wrong_and_only_what_stops_reads_refuses_them()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartFollowerAsync("b", ("FileTransfer__Store__FreeSpaceFloorBytes", long.MaxValue.ToString()));

        // Nobody leads, and the disk is below a floor that no disk reaches.
        await BecomesAsync(
            node,
            "/health/cluster",
            HttpStatusCode.ServiceUnavailable,
            ("database", "healthy"),
            ("leader", "unhealthy")
        );
        var ready = await BecomesAsync(
            node,
            "/health/ready",
            HttpStatusCode.OK,
            ("membership", "healthy"),
            ("disk", "degraded"),
            ("queue", "degraded"),
            ("files", "healthy"),
            ("store", "healthy")
        );
        ready.GetProperty("status").GetString().ShouldBe("degraded");
        DetailOf(ready, "leader").ShouldContain("no node leads now");
        DetailOf(ready, "disk").ShouldContain("must stay free");
        DetailOf(ready, "queue").ShouldContain("no download starts");
        ready
            .GetProperty("checks")
            .GetProperty("disk")
            .GetProperty("since")
            .GetDateTimeOffset()
            .ShouldBe(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(5));

        var leader = await cluster.StartLeaderAsync("a");
        var well = await BecomesAsync(node, "/health/cluster", HttpStatusCode.OK, ("leader", "healthy"));
        DetailOf(well, "leader").ShouldContain("node 'a' leads");
        await BecomesAsync(
            leader,
            "/health/ready",
            HttpStatusCode.OK,
            ("disk", "healthy"),
            ("queue", "healthy"),
            ("files", "healthy")
        );

        var file = TestFile.Of(10);
        await file.KnowAsync(cluster.Database);
        var spent = new ForgedReplica("b", ReplicaState.Failed)
        {
            Attempts = 8,
            Reason = "the share was empty",
            ChangedAt = "timestamptz '2020-02-02 02:02:02Z'",
        };
        await spent.AddAsync(cluster.Database, file);
        var failed = await BecomesAsync(node, "/health/ready", HttpStatusCode.OK, ("files", "degraded"));
        DetailOf(failed, "files").ShouldContain("1 file has failed");
        DetailOf(failed, "files").ShouldContain("the share was empty");
        failed.GetProperty("checks").GetProperty("files").GetProperty("since").GetDateTimeOffset().Year.ShouldBe(2020);

        Directory.Delete(Path.Combine(node.DataDirectory, "content"), recursive: true);
        var lost = await BecomesAsync(node, "/health/ready", HttpStatusCode.ServiceUnavailable, ("store", "unhealthy"));
        lost.GetProperty("status").GetString().ShouldBe("unhealthy");
        DetailOf(lost, "store").ShouldContain(node.DataDirectory);
    }

    private static string DetailOf(JsonElement answer, string check) =>
        answer.GetProperty("checks").GetProperty(check).GetProperty("detail").GetString()!;

    private static async Task<JsonElement> BecomesAsync(
        NodeProcess node,
        string route,
        HttpStatusCode code,
        params (string Check, string Status)[] expected
    )
    {
        JsonElement last = default;
        try
        {
            await Eventually.HoldsAsync(
                async () =>
                {
                    using var answer = await node.Http.GetAsync(route);
                    last = await answer.Content.ReadFromJsonAsync<JsonElement>();
                    return answer.StatusCode == code
                        && expected.All(one =>
                            last.GetProperty("checks").GetProperty(one.Check).GetProperty("status").GetString() == one.Status
                        );
                },
                $"{route} of {node.Id} is {code} with {string.Join(", ", expected)}",
                TimeSpan.FromSeconds(20)
            );
            return last;
        }
        catch (ShouldAssertException fault)
        {
            throw new ShouldAssertException($"{fault.Message} The last answer: {last}", fault);
        }
    }
}
