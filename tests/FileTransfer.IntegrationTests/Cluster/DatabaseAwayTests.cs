using System.Net;
using System.Net.Http.Json;
using FileTransfer.IntegrationTests.Downloads;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Cluster;

public sealed class DatabaseAwayTests
{
    [Fact]
    public async Task While_the_database_is_away_reads_go_on_writes_are_refused_for_now_and_all_recover_by_themselves()
    {
        await using var server = await PrivatePostgres.StartAsync();
        await using var cluster = TestCluster.Over(server);
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        var content = ReplicationTests.Content(1, 300_000);
        var key = await leader.PutAsync(content, "before");
        await TestCluster.StoredAsync(follower, key);

        await server.StopAsync();

        foreach (var node in new[] { leader, follower })
        {
            using (var nameless = await node.Http.GetAsync($"/v1/files/{key}/content"))
            {
                (await nameless.Content.ReadAsByteArrayAsync()).ShouldBe(content);
                nameless.Content.Headers.ContentDisposition.ShouldBeNull("only the catalog knows the name");
            }

            (await node.Http.GetAsync($"/download/{key}")).StatusCode.ShouldBe(HttpStatusCode.OK);
            await RefusesForNowAsync(await node.Http.DeleteAsync($"/v1/files/{key}"));
            await RefusesForNowAsync(await RegisterAsync(node));
            (await node.Http.GetAsync("/health/live")).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await HealthAsync(node)).ShouldBe("degraded");
            var cluster503 = await node.Http.GetAsync("/health/cluster");
            cluster503.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            var checks = (await cluster503.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>()).GetProperty("checks");
            foreach (
                var (check, status) in new[] { ("database", "unhealthy"), ("leader", "unhealthy"), ("membership", "degraded") }
            )
            {
                checks.GetProperty(check).GetProperty("status").GetString().ShouldBe(status, $"{checks}");
            }

            checks.GetProperty("queue").GetProperty("status").GetString().ShouldBe("degraded", $"{checks}");
            checks.GetProperty("files").GetProperty("status").GetString().ShouldBe("degraded", $"{checks}");
            checks.GetProperty("store").GetProperty("status").GetString().ShouldBe("healthy", $"{checks}");
        }

        // One that is started now waits, and says for what.
        var late = await cluster.StartFollowerAsync("c");
        await Eventually.HoldsAsync(async () => await HealthAsync(late) == "degraded", "it lives without the database");
        await RefusesForNowAsync(await RegisterAsync(late));

        await server.StartAgainAsync();

        var after = "";
        await Eventually.HoldsAsync(
            async () =>
            {
                using var body = new ByteArrayContent(content);
                using var answer = await leader.Http.PostAsync("/v1/files?owner=0x01&bucket=0x02&location=after", body);
                if (!answer.IsSuccessStatusCode)
                {
                    return false;
                }

                after = (await answer.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>()).GetProperty("key").GetString()!;
                return true;
            },
            "the leader takes writes again"
        );
        foreach (var node in new[] { follower, late })
        {
            await TestCluster.StoredAsync(node, key);
            await TestCluster.StoredAsync(node, after);
        }

        await Eventually.HoldsAsync(async () => await HealthAsync(follower) == "healthy", "the follower is well");
        (await follower.Http.GetAsync("/health/cluster")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Thorough]
    [Fact]
    public async Task An_outage_is_one_warning_with_host_and_cause_and_one_line_when_it_is_over_however_often_somebody_probes()
    {
        await using var server = await PrivatePostgres.StartAsync();
        await using var cluster = TestCluster.Over(server);
        var node = await cluster.StartLeaderAsync("a");
        await Eventually.HoldsAsync(async () => await HealthAsync(node) == "healthy", "it is well");
        var before = Warnings(node).Count;

        await server.StopAsync();
        await node.SaysAsync("is unreachable");
        var probes = 0;
        await Eventually.HoldsAsync(
            async () =>
            {
                await HealthAsync(node);
                using var read = await node.Http.GetAsync("/v1/nodes");
                return ++probes == 60;
            },
            "it is probed for more than three seconds"
        );
        await server.StartAgainAsync();
        await node.SaysAsync("is back after");

        var told = Warnings(node)[before..];
        told.Count.ShouldBe(1, string.Join("\n", told));
        var settings = new Npgsql.NpgsqlConnectionStringBuilder(server.ConnectionString);
        told[0].ShouldContain($"The database at {settings.Host}:{settings.Port} is unreachable: ");
        told[0].ShouldNotContain("inner exception");
    }

    private static List<string> Warnings(NodeProcess node) =>
        [
            .. node
                .Log.Split('\n')
                .Where(line =>
                    line.Contains(" WRN ", StringComparison.Ordinal) || line.Contains(" ERR ", StringComparison.Ordinal)
                ),
        ];

    [Thorough]
    [Fact]
    public async Task A_database_that_restarts_under_a_download_ends_no_attempt_for_good()
    {
        await using var server = await PrivatePostgres.StartAsync();
        await using var cluster = TestCluster.Over(server);
        var leader = await cluster.StartLeaderAsync("a");
        var contents = Enumerable.Range(1, 30).Select(i => ReplicationTests.Content(i, 1_000_000)).ToList();
        var keys = new List<string>();
        foreach (var content in contents)
        {
            keys.Add(await leader.PutAsync(content, $"file {keys.Count}"));
        }

        var follower = await cluster.StartFollowerAsync("b");
        await TestCluster.StoredAsync(follower, keys[0]);
        await server.StopAsync();
        await server.StartAgainAsync();

        for (var i = 0; i < keys.Count; i++)
        {
            await Eventually.HoldsAsync(
                async () => (await follower.Http.GetAsync($"/v1/files/{keys[i]}")) is { IsSuccessStatusCode: true },
                "the catalog answers"
            );
            await TestCluster.StoredAsync(follower, keys[i]);
            (await follower.Http.GetByteArrayAsync($"/v1/files/{keys[i]}/content")).ShouldBe(contents[i]);
        }
    }

    private static async Task<HttpResponseMessage> RegisterAsync(NodeProcess node)
    {
        var file = TestFile.Of(10);
        return await node.Http.PutAsJsonAsync(
            $"/v1/files/{file.Key}",
            new
            {
                owner = "0x01",
                bucket = "0x02",
                location = file.Location,
                size = file.Content.Length,
                fingerprint = file.Fingerprint.ToString(),
            }
        );
    }

    private static async Task RefusesForNowAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable, await answer.Content.ReadAsStringAsync());
            answer.Headers.RetryAfter.ShouldNotBeNull();
        }
    }

    private static async Task<string?> HealthAsync(NodeProcess node)
    {
        using var answer = await node.Http.GetAsync("/health/ready");
        return (await answer.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>()).GetProperty("status").GetString();
    }
}
