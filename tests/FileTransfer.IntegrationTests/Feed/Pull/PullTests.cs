using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>Clusters with databases of their own follow each other, as real processes over HTTP.</summary>
public sealed class PullTests
{
    [Fact]
    public async Task What_an_upstream_adds_and_removes_before_and_while_it_is_pulled_is_so_at_every_node_of_the_cluster_that_pulls()
    {
        await using var clusters = new TwoClusters();
        var up = await clusters.StartAsync("up");
        var files = Enumerable.Range(0, 40).Select(i => PlainFile.Random(i == 0 ? 5_000_000 : 3000 + i)).ToList();
        foreach (var file in files)
        {
            await up.StoreAsync(file);
        }

        (await up.DeleteAsync(files[39].Key)).ShouldBe(HttpStatusCode.NoContent);
        var down = await clusters.CreateAsync();
        var leader = await TwoClusters.StartIn(down, "down", TwoClusters.PullingFrom(("up", up.Url)));
        var follower = await down.StartFollowerAsync(
            "b",
            [("FileTransfer__ClusterId", "down"), .. TwoClusters.PullingFrom(("up", up.Url))]
        );
        foreach (var file in files[..39])
        {
            await TestCluster.StoredAsync(leader, file.Key);
            await TestCluster.StoredAsync(follower, file.Key);
            await file.ShouldBeStoredAsync(follower);
        }

        var live = PlainFile.Random(8192);
        await up.StoreAsync(live);
        await TestCluster.StoredAsync(follower, live.Key);
        (await up.DeleteAsync(live.Key)).ShouldBe(HttpStatusCode.NoContent);
        await follower.RemovedAsync(live.Key);
        await InStepAsync(leader, "up");
        (await follower.StateOfAsync(files[39].Key)).ShouldBeOneOf("absent", null);
    }

    [Thorough]
    [Fact]
    public async Task A_file_stays_while_somebody_claims_it_and_a_removal_says_for_whom()
    {
        await using var clusters = new TwoClusters();
        var one = await clusters.StartAsync("one");
        var two = await clusters.StartAsync("two");
        var file = PlainFile.Random(2000);
        await one.StoreAsync(file);
        await two.StoreAsync(file);
        var down = await clusters.StartAsync("down", TwoClusters.PullingFrom(("first", one.Url), ("second", two.Url)));
        await TestCluster.StoredAsync(down, file.Key);
        await down.SealedAsync("first", one);
        await down.SealedAsync("second", two);

        using (var refused = await down.Http.DeleteAsync($"/v1/files/{file.Key}"))
        {
            var problem = await refused.ShouldBeProblemAsync(409, "file-owned-upstream", "first", "second", $"{one.Url}");
            problem.GetProperty("upstreams").EnumerateArray().Select(name => name.GetString()).ShouldBe(["first", "second"]);
        }

        // One of both removes it: it stays for the other. An upload adds the cluster's own claim.
        (await one.DeleteAsync(file.Key)).ShouldBe(HttpStatusCode.NoContent);
        await down.SealedAsync("first", one);
        await file.ShouldBeStoredAsync(down);
        using (var uploaded = await down.UploadAsync(file.Key, file.Framed))
        {
            await uploaded.ShouldBeEmptyOkAsync();
        }

        using (var kept = await down.Http.DeleteAsync($"/v1/files/{file.Key}"))
        {
            kept.StatusCode.ShouldBe(HttpStatusCode.OK);
            var said = await kept.Content.ReadFromJsonAsync<JsonElement>();
            said.GetProperty("keptFor").EnumerateArray().Select(name => name.GetString()).ShouldBe(["second"]);
        }

        (await down.StateOfAsync(file.Key)).ShouldBe("stored");
        (await two.DeleteAsync(file.Key)).ShouldBe(HttpStatusCode.NoContent);
        await down.RemovedAsync(file.Key);
    }

    [Thorough]
    [Fact]
    public async Task A_claim_at_a_node_that_does_not_lead_is_in_the_clusters_own_feed_too()
    {
        await using var clusters = new TwoClusters();
        var up = await clusters.StartAsync("up");
        var file = PlainFile.Random(2000);
        await up.StoreAsync(file);
        var down = await clusters.CreateAsync();
        var leader = await TwoClusters.StartIn(down, "down", TwoClusters.PullingFrom(("up", up.Url)));
        var follower = await down.StartFollowerAsync(
            "b",
            [("FileTransfer__ClusterId", "down"), .. TwoClusters.PullingFrom(("up", up.Url))]
        );
        await TestCluster.StoredAsync(follower, file.Key);

        using (var claimed = await follower.RegisterAsync(file.Key, file.Metadata()))
        {
            claimed.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        await Eventually.HoldsAsync(
            async () =>
                (await leader.GetJsonAsync($"/v1/sync/bins/{BinOf(file)}?from=1"))
                    .GetProperty("mutations")
                    .EnumerateArray()
                    .Select(mutation => mutation.GetProperty("origin").GetProperty("cluster").GetString())
                    .SequenceEqual(["up", "down"]),
            "the claim is in the feed"
        );
        (await up.DeleteAsync(file.Key)).ShouldBe(HttpStatusCode.NoContent);
        await InStepAsync(leader, "up");
        await file.ShouldBeStoredAsync(follower);
    }

    [Thorough]
    [Fact]
    public async Task In_a_chain_mutations_are_passed_on_once_with_their_origin_and_two_that_pull_from_each_other_do_not_circle()
    {
        await using var clusters = new TwoClusters();
        var place = TwoClusters.PlaceOfOwn();
        var b = await clusters.StartAsync("two", TwoClusters.PullingFrom(("one", place.Url)));
        var a = await clusters.StartAsync("one", [place.Setting, .. TwoClusters.PullingFrom(("two", b.Url))]);
        var c = await clusters.StartAsync("three", TwoClusters.PullingFrom(("two", b.Url)));
        var (one, two, both) = (PlainFile.Random(1500), PlainFile.Random(1600), PlainFile.Random(1700));
        await a.StoreAsync(one);
        await b.StoreAsync(two);
        await TestCluster.StoredAsync(b, one.Key);
        await TestCluster.StoredAsync(c, one.Key);
        await TestCluster.StoredAsync(c, two.Key);
        await TestCluster.StoredAsync(a, two.Key);
        var last = (await c.GetJsonAsync($"/v1/sync/bins/{BinOf(one)}?from=1")).GetProperty("mutations").EnumerateArray();
        last.Where(mutation => mutation.GetProperty("key").GetString() == one.Key)
            .Select(mutation => mutation.GetProperty("origin").GetProperty("cluster").GetString())
            .ShouldBe(["one"]);

        // Both have it by themselves, too: each goes on having it until both have removed it.
        await b.StoreAsync(both);
        await TestCluster.StoredAsync(a, both.Key);
        (await a.UploadAsync(both.Key, both.Framed)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await b.SealedAsync("one", a);
        (await b.DeleteAsync(both.Key)).ShouldBe(HttpStatusCode.OK);
        await a.SealedAsync("two", b);
        (await a.DeleteAsync(both.Key)).ShouldBe(HttpStatusCode.NoContent);
        (await a.DeleteAsync(one.Key)).ShouldBe(HttpStatusCode.NoContent);
        foreach (var node in new[] { a, b, c })
        {
            await node.RemovedAsync(one.Key);
            await node.RemovedAsync(both.Key);
            (await node.StateOfAsync(two.Key)).ShouldBe("stored");
        }

        // At rest nothing goes round, and all are proven to be in step.
        await InStepAsync(a, "two");
        await InStepAsync(b, "one");
        await InStepAsync(c, "two");
        await b.SealedAsync("one", a);
        await a.SealedAsync("two", b);
        var cursors = $"{await a.GetJsonAsync("/v1/sync/cursors")}{await b.GetJsonAsync("/v1/sync/cursors")}";
        await b.SealedAsync("one", a);
        await a.SealedAsync("two", b);
        $"{await a.GetJsonAsync("/v1/sync/cursors")}{await b.GetJsonAsync("/v1/sync/cursors")}".ShouldBe(cursors);
    }

    [Thorough]
    [Fact]
    public async Task An_upstream_that_was_wiped_is_compared_and_removes_nothing_and_another_cluster_in_its_place_is_refused()
    {
        await using var clusters = new TwoClusters();
        var place = TwoClusters.PlaceOfOwn();
        var up = await clusters.StartAsync("up", place.Setting);
        var files = Enumerable.Range(0, 3).Select(i => PlainFile.Random(1000 + i)).ToList();
        foreach (var file in files)
        {
            await up.StoreAsync(file);
        }

        var down = await clusters.StartAsync("down", TwoClusters.PullingFrom(("up", place.Url)));
        foreach (var file in files)
        {
            await TestCluster.StoredAsync(down, file.Key);
        }

        await up.StopAsync();
        await down.CheckSaysAsync("upstreams", "degraded", "'up'");
        up = await clusters.StartAsync("up", place.Setting);
        var added = PlainFile.Random(4000);
        await up.StoreAsync(files[0]);
        await up.StoreAsync(added);
        await TestCluster.StoredAsync(down, added.Key);
        await down.SealedAsync("up", up);
        await InStepAsync(down, "up");
        (await StatusAsync(down, "up")).GetProperty("kept").GetInt32().ShouldBe(2);
        await down.CheckSaysAsync("upstreams", "degraded", "does not have 2 files any more");
        foreach (var file in files)
        {
            await file.ShouldBeStoredAsync(down);
        }

        // In an unbroken history a Remove counts.
        (await up.DeleteAsync(files[0].Key)).ShouldBe(HttpStatusCode.NoContent);
        await down.RemovedAsync(files[0].Key);
        await up.StopAsync();
        up = await clusters.StartAsync("other", place.Setting);
        await up.StoreAsync(PlainFile.Random(10));
        await down.CheckSaysAsync("upstreams", "degraded", "it is of cluster 'other'");
        await files[1].ShouldBeStoredAsync(down);
    }

    [Thorough]
    [Fact]
    public async Task A_bin_that_is_offered_with_the_same_page_over_and_over_is_named_and_stands_still_alone_until_it_is_right()
    {
        await using var clusters = new TwoClusters();
        await using var fake = await FakeUpstream.StartAsync();
        var (file, other) = (FakeUpstream.FileIn(3), FakeUpstream.FileIn(4));
        fake.Add(file);
        fake.Remove(file);
        fake.Answer = (asked, _) => Task.FromResult<object?>(asked.Bin == 3 ? fake.PageOf(3, from: 1, to: 1) : null);

        var down = await clusters.StartAsync("down", TwoClusters.PullingFrom(("up", fake.Url)));

        await down.CheckSaysAsync(
            "upstreams",
            "degraded",
            "cannot be pulled in 1 of its bins; bin 3: asked for bin 3 from 2, it offers bin 3 from 1"
        );
        await Eventually.HoldsAsync(() => Task.FromResult(fake.Asked.Count >= 5), "it is asked again");
        var asked = fake.Asked.Select(page => page.At).ToList();
        for (var i = 3; i < asked.Count; i++)
        {
            (asked[i] - asked[i - 1]).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(900));
        }

        // What was right before is here, and sealed; other bins go on.
        var bin = (await StatusAsync(down, "up")).GetProperty("bins")[3];
        bin.GetProperty("sealed").GetInt64().ShouldBe(1);
        bin.GetProperty("lastError").GetString()!.ShouldStartWith("asked for bin 3 from 2");
        fake.Add(other);
        await down.FileStateIsAsync(other.Key, "added");
        (await StatusAsync(down, "up")).GetProperty("inStep").GetBoolean().ShouldBeFalse();
        var figures = await down.Http.GetStringAsync("/metrics");
        figures.ShouldMatch(@"filetransfer_sync_gaps_stalled\{[^}]*upstream=""up""[^}]*\} 1\b");
        figures.ShouldMatch(@"filetransfer_sync_last_received\{[^}]*bin=""4""[^}]*\} 1\b");

        fake.Answer = (_, _) => Task.FromResult<object?>(null);
        await InStepAsync(down, "up");
        (await down.Http.GetStringAsync("/metrics")).ShouldMatch(@"filetransfer_sync_gaps_stalled\{[^}]*\} 0\b");
    }

    private static Task InStepAsync(NodeProcess down, string upstream) =>
        Eventually.HoldsAsync(
            async () => (await StatusAsync(down, upstream)).GetProperty("inStep").GetBoolean(),
            $"{upstream} is in step"
        );

    private static int BinOf(PlainFile file) => Convert.ToInt32(file.Key[2..3], 16);

    private static async Task<JsonElement> StatusAsync(NodeProcess down, string upstream) =>
        (await down.GetJsonAsync("/v1/sync/status"))
            .GetProperty("upstreams")
            .EnumerateArray()
            .Single(one => one.GetProperty("name").GetString() == upstream);
}
