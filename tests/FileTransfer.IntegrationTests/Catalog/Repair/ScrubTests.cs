using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Downloads;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Catalog.Repair;

/// <summary>What nobody reads is proven all the same, and what disks did to two nodes is mended without a hand.</summary>
public sealed class ScrubTests
{
    private static readonly TimeSpan _repairedWithin = TimeSpan.FromSeconds(60);

    [Thorough]
    [Fact]
    public async Task Two_nodes_with_damaged_disks_send_no_wrong_answer_and_have_everything_again_after_a_scrub()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        var files = await PutAsync(leader, Showing.Of(small: 60, full: 200));
        await Task.WhenAll(files.Select(file => TestCluster.StoredAsync(follower, file.Key)));
        var tenth = files.Count / 20;

        using var reading = new CancellationTokenSource();
        var readers = new[] { leader, follower, leader, follower }
            .Select((node, seed) => Task.Run(() => ReadAsync(node, files, seed, reading.Token)))
            .ToArray();
        foreach (var (file, number) in files.Select((file, number) => (file, number)))
        {
            switch (number / tenth)
            {
                case 0 or 1:
                    StoredOnDisk.Flip(leader, file.Fingerprint, file.Content.Length / 3);
                    break;
                case 2:
                    StoredOnDisk.Cut(leader, file.Fingerprint, file.Content.Length * 2L / 3);
                    break;
                case 3:
                    StoredOnDisk.Delete(leader, file.Fingerprint);
                    break;
                case 4 or 5:
                    StoredOnDisk.Flip(follower, file.Fingerprint, file.Content.Length - 1);
                    break;
            }
        }

        var clock = Stopwatch.StartNew();
        foreach (var node in (NodeProcess[])[leader, follower])
        {
            using var answer = await node.Http.PostAsync("/v1/scrub", null);
            answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        }

        foreach (var node in (NodeProcess[])[leader, follower])
        {
            await Eventually.HoldsAsync(
                async () => await LastAsync(node) is { ValueKind: JsonValueKind.Object },
                $"{node.Id} has proven all it has",
                _repairedWithin - clock.Elapsed
            );
            foreach (var file in files)
            {
                await TestCluster.StoredAsync(node, file.Key, _repairedWithin - clock.Elapsed);
            }
        }

        Showing.Tell("repaired after a scrub of two nodes", clock.Elapsed.TotalSeconds, _repairedWithin.TotalSeconds, "s");
        await reading.CancelAsync();
        (await Task.WhenAll(readers)).ShouldAllBe(read => read.Right > 0 && read.Wrong == 0);
        foreach (var node in (NodeProcess[])[leader, follower])
        {
            foreach (var file in files)
            {
                (await node.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content"))
                    .AsSpan()
                    .SequenceEqual(file.Content)
                    .ShouldBeTrue();
            }

            StoredOnDisk.Quarantined(node).Count.ShouldBe(node == leader ? 3 * tenth : 2 * tenth);
            (await node.GetJsonAsync("/v1/scrub")).GetProperty("damage").GetArrayLength().ShouldBe(0);
        }
    }

    [Thorough]
    [Fact]
    public async Task A_pass_goes_on_after_a_restart_and_damage_that_nobody_can_mend_is_told_until_somebody_does()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("a");
        var files = await PutAsync(node, 12, size: 60_000);
        var lost = files[5];
        StoredOnDisk.Flip(node, lost.Fingerprint, 59_999);
        (await node.StopAsync()).ShouldBe(0);

        // Slow enough to be stopped under way.
        node = await cluster.StartLeaderAsync("a", ("FileTransfer__Scrub__BytesPerSecond", "65536"));
        using (await node.Http.PostAsync("/v1/scrub", null)) { }
        JsonElement before = default;
        await Eventually.HoldsAsync(
            async () => (before = await PassAsync(node)).GetProperty("contents").GetInt64() >= 2,
            "two contents are proven"
        );
        (await node.StopAsync()).ShouldBe(0);

        node = await cluster.StartLeaderAsync("a");
        JsonElement last = default;
        await Eventually.HoldsAsync(
            async () => (last = await LastAsync(node)) is { ValueKind: JsonValueKind.Object },
            "the pass has ended"
        );
        last.GetProperty("startedAt").GetDateTimeOffset().ShouldBe(before.GetProperty("startedAt").GetDateTimeOffset());
        last.GetProperty("contents").GetInt64().ShouldBe(files.Count);
        last.GetProperty("damaged").GetInt64().ShouldBe(1);

        var damage = (await node.GetJsonAsync("/v1/scrub")).GetProperty("damage").EnumerateArray().ShouldHaveSingleItem();
        damage.GetProperty("fingerprint").GetString().ShouldBe(lost.Fingerprint);
        var health = await node.GetJsonAsync("/health/ready");
        var check = health.GetProperty("checks").GetProperty("contents");
        check.GetProperty("status").GetString().ShouldBe("degraded");
        check.GetProperty("detail").GetString().ShouldNotBeNull().ShouldContain(lost.Fingerprint);
        var says = (await node.GetJsonAsync($"/v1/files/{lost.Key}/explain")).GetProperty("says").ToString();
        says.ShouldContain("damaged here");
        says.ShouldContain("Nobody else has it");

        await node.PutAsync(lost.Content, lost.Location);
        await TestCluster.StoredAsync(node, lost.Key);
        health = await node.GetJsonAsync("/health/ready");
        health.GetProperty("checks").GetProperty("contents").GetProperty("status").GetString().ShouldBe("healthy");

        using var cancelled = await node.Http.DeleteAsync("/v1/scrub");
        (await cancelled.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("state").GetString().ShouldBe("idle");
    }

    [Thorough]
    [Fact]
    public async Task Files_that_are_named_or_of_a_bucket_are_proven_now_and_no_others()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("a");
        var other = await cluster.StartFollowerAsync("b");
        var files = await PutAsync(node, 4, size: 60_000);
        foreach (var file in files)
        {
            await TestCluster.StoredAsync(other, file.Key);
            StoredOnDisk.Flip(node, file.Fingerprint, 5);
        }

        var named = await NamedAsync(new { keys = new[] { files[0].Key } });
        (named.GetProperty("files").GetInt64(), named.GetProperty("damaged").GetInt64()).ShouldBe((1, 1));
        StoredOnDisk.Quarantined(node).ShouldHaveSingleItem();
        await TestCluster.StoredAsync(node, files[0].Key);

        (await NamedAsync(new { bucket = "0x77" })).GetProperty("files").GetInt64().ShouldBe(0);
        named = await NamedAsync(new { bucket = "0x02" });
        named.GetProperty("damaged").GetInt64().ShouldBe(3);
        foreach (var file in files)
        {
            await TestCluster.StoredAsync(node, file.Key);
        }

        foreach (var body in (object[])[new { }, new { bucket = "x" }, new { keys = Array.Empty<string>() }])
        {
            using var wrong = await node.Http.PostAsJsonAsync("/v1/scrub", body);
            await wrong.ShouldBeProblemAsync(400, "bad-request", "bucket", "keys");
        }

        using var unknown = await node.Http.PostAsJsonAsync("/v1/scrub", new { keys = new[] { new string('7', 64) } });
        await unknown.ShouldBeProblemAsync(404, "file-unknown");
        (await LastAsync(node)).ValueKind.ShouldBe(JsonValueKind.Undefined, "nobody asked for all");

        async Task<JsonElement> NamedAsync(object what)
        {
            using var answer = await node.Http.PostAsJsonAsync("/v1/scrub", what);
            answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
            JsonElement progress = default;
            await Eventually.HoldsAsync(
                async () =>
                {
                    progress = (await node.GetJsonAsync("/v1/scrub")).GetProperty("named");
                    return progress.GetProperty("endedAt").ValueKind == JsonValueKind.String;
                },
                "what was named is proven"
            );
            return progress;
        }
    }

    [Thorough]
    [Fact]
    public async Task Contents_that_are_in_the_folder_already_are_stored_only_once_they_are_proven()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b");
        var files = await PutAsync(leader, 8);
        await Task.WhenAll(files.Select(file => TestCluster.StoredAsync(follower, file.Key)));
        (await follower.StopAsync()).ShouldBe(0);
        await cluster.Database.ExecuteAsync(
            "UPDATE filetransfer.replicas SET state = 'wanted', wanted_at = now() WHERE node_id = 'b'"
        );
        StoredOnDisk.Flip(follower, files[0].Fingerprint, 1);
        StoredOnDisk.Flip(follower, files[^1].Fingerprint, files[^1].Content.Length / 2);

        follower = await cluster.StartFollowerAsync("b");
        foreach (var file in files)
        {
            await TestCluster.StoredAsync(follower, file.Key);
            (await follower.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content"))
                .AsSpan()
                .SequenceEqual(file.Content)
                .ShouldBeTrue();
        }

        StoredOnDisk.Quarantined(follower).Count.ShouldBe(2);
    }

    private static async Task<IReadOnlyList<StoredFile>> PutAsync(NodeProcess node, int count, int? size = null)
    {
        var files = new List<StoredFile>();
        for (var number = 0; number < count; number++)
        {
            // One in twenty has its chunk hashes beside it.
            var content = ReplicationTests.Content(number, size ?? (number % 20 == 19 ? 5_000_000 : 3000 + (number * 1777)));
            var location = $"scrubbed {number}";
            var key = await node.PutAsync(content, location);
            var fingerprint = (await node.GetJsonAsync($"/v1/files/{key}")).GetProperty("fingerprint").GetString()!;
            files.Add(new StoredFile(key, fingerprint, location, content));
        }

        return files;
    }

    /// <summary>Reads until told to end, and counts whole answers by whether they are right. A problem or a cut answer is neither.</summary>
    private static async Task<(int Right, int Wrong)> ReadAsync(
        NodeProcess node,
        IReadOnlyList<StoredFile> files,
        int seed,
        CancellationToken ended
    )
    {
        var random = new Random(seed);
        var (right, wrong) = (0, 0);
        while (!ended.IsCancellationRequested)
        {
            var file = files[random.Next(files.Count)];
            try
            {
                using var answer = await node.Http.GetAsync($"/v1/files/{file.Key}/content", CancellationToken.None);
                if (answer.IsSuccessStatusCode)
                {
                    var body = await answer.Content.ReadAsByteArrayAsync(CancellationToken.None);
                    _ = body.AsSpan().SequenceEqual(file.Content) ? right++ : wrong++;
                }
            }
            catch (Exception cut) when (cut is HttpRequestException or IOException) { }
        }

        return (right, wrong);
    }

    private static async Task<JsonElement> PassAsync(NodeProcess node) =>
        (await node.GetJsonAsync("/v1/scrub")).GetProperty("pass");

    private static async Task<JsonElement> LastAsync(NodeProcess node)
    {
        var scrub = await node.GetJsonAsync("/v1/scrub");
        var last = scrub.GetProperty("last");
        return last.ValueKind == JsonValueKind.Object && last.GetProperty("requested").GetBoolean() ? last : default;
    }

    private sealed record StoredFile(string Key, string Fingerprint, string Location, byte[] Content);
}
