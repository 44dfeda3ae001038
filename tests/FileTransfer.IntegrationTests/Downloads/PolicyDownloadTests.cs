using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>What a change of policy does to downloads, while they wait and while they run. Every fact begins with a policy that wants nothing.</summary>
public sealed class PolicyDownloadTests(SourceCluster cluster) : IClassFixture<SourceCluster>, IAsyncLifetime
{
    private const int Size = 3_000_000;

    public async ValueTask InitializeAsync() => await cluster.Follower.SetPolicyAsync("nothing-except", []);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_download_that_a_policy_withdraws_ends_within_a_second_and_leaves_nothing()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size, place: "under way/"));
        source.BytesPerSecond = Size / 60;
        (await cluster.Follower.SetPolicyAsync("nothing-except", ["prefix:utf8:under way/"])).Count("wanted").ShouldBe(1);
        await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent > Size / 20), "it downloads");
        await Eventually.HoldsAsync(
            async () => (await cluster.Follower.MissingAsync()).Single().GetProperty("bytesProven").GetInt64() > 0,
            "what is missing of it is told with what is proven"
        );

        (await cluster.Follower.SetPolicyAsync("nothing-except", [])).Count("withdrawn").ShouldBe(1);

        await Eventually.HoldsAsync(
            () => Task.FromResult(source.Open == 0),
            "the transfer is ended",
            TimeSpan.FromSeconds(Showing.Of(small: 15, full: 3))
        );
        await GoneAsync(file);
        cluster.HasPartialOf(file).ShouldBeFalse();
        cluster.HasContentOf(file).ShouldBeFalse();
        (await cluster.Follower.MissingAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_policy_that_narrows_and_widens_again_while_its_file_downloads_ends_as_the_last_word_says()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size, place: "to and fro/"));
        source.BytesPerSecond = Size / 5;
        for (var round = 0; round < 6; round++)
        {
            await cluster.Follower.SetPolicyAsync("nothing-except", ["prefix:utf8:to and fro/"]);
            if (round % 2 == 0)
            {
                await Eventually.HoldsAsync(() => Task.FromResult(source.Open > 0), "it downloads");
            }

            await cluster.Follower.SetPolicyAsync("nothing-except", []);
        }

        await GoneAsync(file);
        source.BytesPerSecond = 0;
        await cluster.Follower.SetPolicyAsync("nothing-except", ["prefix:utf8:to and fro/"]);
        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task A_stored_file_that_is_pruned_and_wanted_again_while_it_is_being_removed_is_stored_in_the_end()
    {
        await using var source = await cluster.StartSourceAsync();
        await using var beats = new Heartbeat(cluster.Database, source.Id);
        var file = await source.OfferAsync(TestFile.Of(60_000, place: "pruned/"));
        await cluster.Follower.SetPolicyAsync("nothing-except", ["prefix:utf8:pruned/"]);
        await cluster.StoredAsync(file);
        for (var round = 0; round < 10; round++)
        {
            var pruned = await cluster.Follower.SetPolicyAsync("nothing-except", [], prune: true);
            var widened = await cluster.Follower.SetPolicyAsync("nothing-except", ["prefix:utf8:pruned/"]);
            if (round == 0)
            {
                pruned.Count("pruned").ShouldBe(1);
                widened.Count("wanted").ShouldBe(1);
            }

            if (round % 3 == 0)
            {
                await cluster.StoredAsync(file);
            }
        }

        await cluster.StoredAsync(file);
        (await cluster.Follower.MissingAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_stored_file_stays_unless_the_node_is_told_to_prune()
    {
        await using var source = await cluster.StartSourceAsync();
        await using var beats = new Heartbeat(cluster.Database, source.Id);
        var file = await source.OfferAsync(TestFile.Of(60_000, place: "stays/"));
        await cluster.Follower.SetPolicyAsync("nothing-except", ["prefix:utf8:stays/"]);
        await cluster.StoredAsync(file);

        (await cluster.Follower.SetPolicyAsync("nothing-except", [])).Count("withdrawn").ShouldBe(0);
        await cluster.StoredAsync(file);
        (await cluster.Follower.SetPolicyAsync("nothing-except", [], prune: true)).Count("pruned").ShouldBe(1);

        await GoneAsync(file);
        await Eventually.HoldsAsync(() => Task.FromResult(!cluster.HasContentOf(file)), "its content is deleted");
        var resource = await cluster.Follower.GetJsonAsync($"/v1/files/{file.Key}");
        resource.GetProperty("notWantedAt").EnumerateArray().Select(node => node.GetString()).ShouldBe([cluster.Follower.Id]);
    }

    [Fact]
    public async Task The_only_copy_in_the_cluster_is_not_pruned_and_named()
    {
        var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(60_000, place: "only/"));
        await cluster.Follower.SetPolicyAsync("nothing-except", ["prefix:utf8:only/"]);
        await cluster.StoredAsync(file);
        await source.DisposeAsync(); // Takes its replicas with it.

        var change = await cluster.Follower.SetPolicyAsync("everything-except", ["prefix:utf8:only/"], prune: true);

        change.Count("pruned").ShouldBe(0);
        change.Count("kept").ShouldBe(1);
        change.GetProperty("keptKeys").EnumerateArray().Select(key => key.GetString()).ShouldBe([file.Key.ToString()]);
        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task A_file_registered_here_by_name_comes_whatever_the_policy_says()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size, place: "by name/"));
        source.BytesPerSecond = Size / 3;
        await file.WantAtAsync(cluster.Follower);
        await Eventually.HoldsAsync(() => Task.FromResult(source.Open > 0), "it downloads");

        (await cluster.Follower.SetPolicyAsync("everything-except", ["prefix:utf8:"])).Count("withdrawn").ShouldBe(0);

        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task A_file_that_an_intent_wants_is_not_withdrawn_and_ends_with_the_intent()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size, place: "intended/"));
        source.BytesPerSecond = Size / 60;
        await cluster.Follower.SetPolicyAsync("nothing-except", ["prefix:utf8:intended/"]);
        using var asked = await cluster.Follower.Http.PostAsync($"/v1/files/{file.Key}/fetch", null);
        asked.EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(() => Task.FromResult(source.Open > 0), "it downloads");

        (await cluster.Follower.SetPolicyAsync("nothing-except", [])).Count("withdrawn").ShouldBe(0);
        var sent = source.BytesSent;
        await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent > sent), "it goes on");
        using var withdrawn = await cluster.Follower.Http.DeleteAsync(asked.Headers.Location!.OriginalString);
        withdrawn.EnsureSuccessStatusCode();

        await Eventually.HoldsAsync(
            () => Task.FromResult(source.Open == 0),
            "the transfer is ended",
            TimeSpan.FromSeconds(Showing.Of(small: 15, full: 3))
        );
        await GoneAsync(file);
    }

    [Fact]
    public async Task An_intent_that_ends_takes_nothing_from_who_registered_the_file_here()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size, place: "both/"));
        source.BytesPerSecond = Size / 4;
        using var asked = await cluster.Follower.Http.PostAsync($"/v1/files/{file.Key}/fetch", null);
        await file.WantAtAsync(cluster.Follower);
        using var withdrawn = await cluster.Follower.Http.DeleteAsync(asked.Headers.Location!.OriginalString);
        withdrawn.EnsureSuccessStatusCode();

        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task A_change_that_was_cut_off_before_it_took_effect_is_finished()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(60_000, place: "cut off/"));

        // As a process leaves it that ends between writing the policy and following it.
        await cluster.Database.ExecuteAsync(
            $"""
            UPDATE filetransfer.policies
            SET kind = 'everything-except', prefixes = '{"{}"}', review_due = true, changed_at = clock_timestamp()
            WHERE node_id = '{cluster.Follower.Id}'
            """
        );

        await cluster.StoredAsync(file);
        await Eventually.HoldsAsync(
            async () =>
                (await cluster.Follower.GetJsonAsync("/v1/buckets/0x02/policy")).GetProperty("changedAt").ValueKind
                == System.Text.Json.JsonValueKind.Null,
            "a policy that wants everything is forgotten"
        );
    }

    private Task GoneAsync(TestFile file) =>
        Eventually.HoldsAsync(async () => await cluster.ReplicaAsync(file) is null, $"{file.Key} is gone from the follower");
}
