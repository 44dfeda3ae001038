using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Wants.Policies;

/// <summary>Policies as people and their programs meet them, at real nodes.</summary>
[Collection(SharedNodes.Name)]
public sealed class PolicyRouteTests(RunningCluster nodes)
{
    [Fact]
    public async Task A_bucket_that_nobody_spoke_of_wants_everything_and_lacks_nothing()
    {
        var bucket = NewBucket();

        var policy = await nodes.Follower.GetJsonAsync($"/v1/buckets/{bucket}/policy");

        policy.GetProperty("bucket").GetString().ShouldBe(bucket);
        policy.GetProperty("kind").GetString().ShouldBe("everything-except");
        policy.GetProperty("filters").GetArrayLength().ShouldBe(0);
        policy.GetProperty("changedAt").ValueKind.ShouldBe(JsonValueKind.Null);
        (await nodes.Follower.MissingAsync(bucket)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_policy_is_told_as_it_was_set_until_it_is_deleted()
    {
        var bucket = NewBucket();

        using (var put = await nodes.Follower.PutPolicyAsync(bucket, Body("nothing-except", "exact:hex:00FF", "prefix:utf8:a/")))
        {
            put.StatusCode.ShouldBe(HttpStatusCode.OK, await put.Content.ReadAsStringAsync());
        }

        var policy = await nodes.Follower.GetJsonAsync($"/v1/buckets/{bucket[2..].ToUpperInvariant()}/policy");
        policy.GetProperty("kind").GetString().ShouldBe("nothing-except");
        policy
            .GetProperty("filters")
            .EnumerateArray()
            .Select(filter => filter.GetString())
            .ShouldBe(["prefix:utf8:a/", "exact:hex:00ff"]);
        policy.GetProperty("changedAt").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UnixEpoch);
        (await nodes.Leader.GetJsonAsync($"/v1/buckets/{bucket}/policy"))
            .GetProperty("kind")
            .GetString()
            .ShouldBe("everything-except");

        using (var deleted = await nodes.Follower.Http.DeleteAsync($"/v1/buckets/{bucket}/policy?wait=60"))
        {
            deleted.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        (await nodes.Follower.GetJsonAsync($"/v1/buckets/{bucket}/policy"))
            .GetProperty("changedAt")
            .ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task What_comes_by_the_feed_follows_the_policy_of_the_node()
    {
        var bucket = PlainFile.RandomBytes(32);
        using (
            var put = await nodes.Follower.PutPolicyAsync(PlainFile.Hex(bucket), Body("nothing-except", "prefix:utf8:wanted/"))
        )
        {
            put.EnsureSuccessStatusCode();
        }

        var (wanted, unwanted) = (In(bucket, "wanted/x"), In(bucket, "unwanted/x"));
        await nodes.Leader.StoreAsync(unwanted);
        await nodes.Leader.StoreAsync(wanted);

        await TestCluster.StoredAsync(nodes.Follower, wanted.Key);
        await Eventually.HoldsAsync(
            async () =>
                (await nodes.Follower.GetJsonAsync("/v1/nodes"))
                    .GetProperty("nodes")
                    .EnumerateArray()
                    .All(node => node.GetProperty("lag").GetInt64() == 0),
            "the feed is read"
        );
        (await nodes.Follower.StateOfAsync(unwanted.Key)).ShouldBe("absent");
        (await nodes.Follower.MissingAsync(PlainFile.Hex(bucket))).ShouldBeEmpty();

        using var deleted = await nodes.Follower.Http.DeleteAsync($"/v1/buckets/{PlainFile.Hex(bucket)}/policy?wait=60");
        JsonDocument.Parse(await deleted.Content.ReadAsStringAsync()).RootElement.Count("wanted").ShouldBe(1);
        await TestCluster.StoredAsync(nodes.Follower, unwanted.Key);
    }

    [Fact]
    public async Task A_leader_keeps_what_is_uploaded_to_it_and_can_hand_it_to_its_followers_alone()
    {
        var bucket = PlainFile.RandomBytes(32);
        var path = $"/v1/buckets/{PlainFile.Hex(bucket)}/policy";
        using (var put = await nodes.Leader.PutPolicyAsync(PlainFile.Hex(bucket), Body("nothing-except")))
        {
            put.EnsureSuccessStatusCode();
        }

        var registered = In(bucket, "registered");
        await nodes.Leader.RegisterAsync(registered);
        var file = In(bucket, "uploaded");
        await nodes.Leader.StoreAsync(file);
        await file.ShouldBeStoredAsync(nodes.Leader);
        await TestCluster.StoredAsync(nodes.Follower, file.Key);
        using (var again = await nodes.Leader.PutPolicyAsync(PlainFile.Hex(bucket), Body("nothing-except")))
        {
            JsonDocument.Parse(await again.Content.ReadAsStringAsync()).RootElement.Count("withdrawn").ShouldBe(0);
        }

        using var pruned = await nodes.Leader.Http.PutAsync(
            $"{path}?prune=true&wait=60",
            new StringContent(Body("nothing-except"), System.Text.Encoding.UTF8, "application/json")
        );
        JsonDocument.Parse(await pruned.Content.ReadAsStringAsync()).RootElement.Count("pruned").ShouldBe(1);

        await Eventually.HoldsAsync(async () => await nodes.Leader.StateOfAsync(file.Key) == "absent", "it has left the leader");
        await file.ShouldBeStoredAsync(nodes.Follower);
        (await nodes.Leader.StateOfAsync(registered.Key)).ShouldBe("wanted");
        using (await nodes.Leader.Http.DeleteAsync(path)) { }
        await TestCluster.StoredAsync(nodes.Leader, file.Key);
        await file.ShouldBeStoredAsync(nodes.Leader);
    }

    [Fact]
    public async Task What_is_missing_is_told_with_its_state_and_who_has_it()
    {
        var bucket = PlainFile.RandomBytes(32);
        var file = In(bucket, "not uploaded");
        await nodes.Leader.RegisterAsync(file);
        var hex = new PlainFile(PlainFile.RandomBytes(10), location: [0xff, 0x00], bucket: bucket);
        var metadata = hex.Metadata();
        metadata.Remove("location");
        metadata["locationHex"] = PlainFile.Hex(hex.Location);
        using (var registered = await nodes.Follower.RegisterAsync(hex.Key, metadata))
        {
            registered.StatusCode.ShouldBe(HttpStatusCode.Created);
        }

        var atLeader = (await nodes.Leader.MissingAsync(PlainFile.Hex(bucket))).Single();
        var atFollower = (await nodes.Follower.MissingAsync(PlainFile.Hex(bucket))).Single();

        atLeader.GetProperty("key").GetString().ShouldBe(file.Key);
        atLeader.GetProperty("location").GetString().ShouldBe("not uploaded");
        atLeader.GetProperty("size").GetInt64().ShouldBe(file.Content.Length);
        atLeader.GetProperty("state").GetString().ShouldBe("wanted");
        atLeader.GetProperty("reason").GetString()!.ShouldContain("upload");
        atLeader.GetProperty("nextAttemptAt").ValueKind.ShouldBe(JsonValueKind.Null);
        atLeader.GetProperty("bytesProven").GetInt64().ShouldBe(0);
        atLeader.GetProperty("sources").GetInt32().ShouldBe(0);
        atFollower.GetProperty("key").GetString().ShouldBe(hex.Key);
        atFollower.GetProperty("locationHex").GetString().ShouldBe(PlainFile.Hex(hex.Location));
        atFollower.TryGetProperty("location", out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("{}", 400, "bad-request", "kind")]
    [InlineData("""{"kind":"nothing-except"}""", 400, "bad-request", "filters")]
    [InlineData("""{"filters":[]}""", 400, "bad-request", "kind")]
    [InlineData("""{"kind":"nothing-except","filters":null}""", 400, "bad-request", "filters")]
    [InlineData("""{"kind":"nothing-except","filters":[],"prune":true}""", 400, "bad-request", "prune")]
    [InlineData("""{"kind":"nothing-except","filters":[3]}""", 400, "bad-request", "filters")]
    [InlineData("null", 400, "bad-request", "")]
    [InlineData("""{"kind":"nothing","filters":[]}""", 422, "policy-invalid", "'nothing'")]
    [InlineData("""{"kind":"nothing-except","filters":["photos/"]}""", 422, "policy-invalid", "'photos/'")]
    [InlineData("""{"kind":"nothing-except","filters":[null]}""", 422, "policy-invalid", "''")]
    [InlineData("""{"kind":"nothing-except","filters":["exact:utf8:"]}""", 422, "policy-invalid", "empty")]
    public async Task A_policy_that_is_none_is_refused_and_nothing_changes(string body, int status, string slug, string named)
    {
        var bucket = NewBucket();

        using var response = await nodes.Follower.PutPolicyAsync(bucket, body);

        await response.ShouldBeProblemAsync(status, slug, named);
        (await nodes.Follower.GetJsonAsync($"/v1/buckets/{bucket}/policy"))
            .GetProperty("changedAt")
            .ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [InlineData("zz")]
    [InlineData("0x")]
    [InlineData("0x123")]
    public async Task A_bucket_that_is_none_is_refused_by_its_name(string bucket)
    {
        using var policy = await nodes.Follower.Http.GetAsync($"/v1/buckets/{bucket}/policy");
        await policy.ShouldBeProblemAsync(400, "bad-request", $"'{bucket}'");
        using var put = await nodes.Follower.PutPolicyAsync(bucket, Body("nothing-except"));
        await put.ShouldBeProblemAsync(400, "bad-request", $"'{bucket}'");
        using var missing = await nodes.Follower.Http.GetAsync($"/v1/buckets/{bucket}/missing");
        await missing.ShouldBeProblemAsync(400, "bad-request", $"'{bucket}'");
    }

    [Fact]
    public async Task Policies_that_are_set_at_once_leave_the_node_as_the_one_that_is_told()
    {
        var bucket = PlainFile.RandomBytes(32);
        var hex = PlainFile.Hex(bucket);
        var files = Enumerable.Range(0, 8).Select(number => In(bucket, $"{number % 4}/{number}")).ToList();
        foreach (var file in files)
        {
            await nodes.Leader.StoreAsync(file);
        }

        foreach (var round in Enumerable.Range(0, 5))
        {
            await Task.WhenAll(
                Enumerable
                    .Range(0, 8)
                    .Select(async writer =>
                    {
                        using var put = await nodes.Follower.Http.PutAsync(
                            $"/v1/buckets/{hex}/policy?prune=true&wait=60",
                            new StringContent(
                                Body("nothing-except", $"prefix:utf8:{(writer + round) % 4}/"),
                                System.Text.Encoding.UTF8,
                                "application/json"
                            )
                        );
                        put.IsSuccessStatusCode.ShouldBeTrue("200, or 202 where another took its place first");
                    })
            );
            var told = (await nodes.Follower.GetJsonAsync($"/v1/buckets/{hex}/policy"))
                .GetProperty("filters")
                .EnumerateArray()
                .Single()
                .GetString()!["prefix:utf8:".Length..];

            foreach (var file in files)
            {
                var isWanted = System.Text.Encoding.UTF8.GetString(file.Location).StartsWith(told, StringComparison.Ordinal);
                await Eventually.HoldsAsync(
                    async () => await nodes.Follower.StateOfAsync(file.Key) == (isWanted ? "stored" : "absent"),
                    $"{file.Key} is {(isWanted ? "stored" : "absent")} where {told} is wanted"
                );
            }
        }
    }

    private static string NewBucket() => PlainFile.Hex(PlainFile.RandomBytes(32));

    private static PlainFile In(byte[] bucket, string location) =>
        new(PlainFile.RandomBytes(3000), System.Text.Encoding.UTF8.GetBytes(location), bucket);

    private static string Body(string kind, params string[] filters) =>
        new JsonObject
        {
            ["kind"] = kind,
            ["filters"] = new JsonArray([.. filters.Select(filter => JsonValue.Create(filter))]),
        }.ToJsonString();
}
