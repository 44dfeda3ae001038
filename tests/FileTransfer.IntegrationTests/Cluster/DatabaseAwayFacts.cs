using System.Net;
using System.Net.Http.Json;
using FileTransfer.IntegrationTests.Downloads;
using FileTransfer.IntegrationTests.Nodes;
using FileTransfer.IntegrationTests.Postgres;

namespace FileTransfer.IntegrationTests.Cluster;

public sealed class DatabaseAwayFacts
{
    [Fact]
    public async Task While_the_database_is_away_reads_go_on_writes_are_refused_for_now_and_all_recover_by_themselves()
    {
        await using var server = await PrivatePostgres.StartAsync();
        await using var cluster = TestCluster.Over(server);
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        var content = ReplicationFacts.Content(1, 300_000);
        var key = await leader.PutAsync(content, "before");
        await TestCluster.StoredAsync(follower, key);

        await server.StopAsync();

        foreach (var node in new[] { leader, follower })
        {
            (await node.Http.GetByteArrayAsync($"/v1/files/{key}/content")).ShouldBe(content);
            (await node.Http.GetAsync($"/download/{key}")).StatusCode.ShouldBe(HttpStatusCode.OK);
            await RefusesForNowAsync(await node.Http.DeleteAsync($"/v1/files/{key}"));
            await RefusesForNowAsync(await RegisterAsync(node));
            (await node.Http.GetAsync("/health/live")).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await HealthAsync(node)).ShouldBe("degraded");
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
    }

    [Fact]
    public async Task A_database_that_restarts_under_a_download_ends_no_attempt_for_good()
    {
        await using var server = await PrivatePostgres.StartAsync();
        await using var cluster = TestCluster.Over(server);
        var leader = await cluster.StartLeaderAsync("a");
        var contents = Enumerable.Range(1, 30).Select(i => ReplicationFacts.Content(i, 1_000_000)).ToList();
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
