using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Wants.Intents;

/// <summary>Many intents, one download; it ends with the last of them, unless the policy wants the file.</summary>
public sealed class IntentTests(UnwantingCluster unwanting) : IClassFixture<UnwantingCluster>
{
    private const int Size = 3_000_000;

    private SourceCluster Cluster => unwanting.Cluster;

    [Fact]
    public async Task A_file_that_no_policy_wants_comes_for_an_intent_which_then_has_ended()
    {
        await using var source = await Cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size));

        var (status, intent) = await AskAsync(file);

        status.ShouldBe(HttpStatusCode.Created);
        intent.GetProperty("state").GetString().ShouldBeOneOf("wanted", "downloading");
        intent.GetProperty("sources").EnumerateArray().Select(s => s.GetString()).ShouldBe([$"node {source.Id}"]);
        await Cluster.StoredAsync(file);
        await OutcomeIsAsync(file, intent, "stored");
        source.Requests.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Ten_intents_are_one_download_which_ends_with_the_last_of_them()
    {
        await using var source = await Cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size));
        source.BytesPerSecond = Size / 60;
        var asked = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => AskAsync(file)));
        asked.ShouldAllBe(one => one.Status == HttpStatusCode.Created);
        asked.Select(one => Id(one.Intent)).Distinct().Count().ShouldBe(10);
        await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent > Size / 20), "it downloads");

        var nine = await Task.WhenAll(asked[1..].Select(one => WithdrawAsync(file, one.Intent)));
        nine.ShouldAllBe(withdrawn => withdrawn.GetProperty("outcome").GetString() == "withdrawn");
        var sent = source.BytesSent;
        await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent > sent + (Size / 20)), "it goes on");
        source.Open.ShouldBeGreaterThan(0);

        var last = await WithdrawAsync(file, asked[0].Intent);

        last.GetProperty("says").GetString()!.ShouldContain("given up");
        await Eventually.HoldsAsync(
            () => Task.FromResult(source.Open == 0),
            "the transfer is ended",
            TimeSpan.FromSeconds(Showing.Of(small: 15, full: 3))
        );
        await GoneAsync(file);
        Cluster.HasPartialOf(file).ShouldBeFalse();
        Cluster.HasContentOf(file).ShouldBeFalse();
    }

    [Fact]
    public async Task A_file_given_up_while_it_waits_for_a_source_is_gone_and_can_be_asked_for_again()
    {
        await using var source = await Cluster.StartSourceAsync();
        var file = TestFile.Of(Size);
        await file.KnowAsync(Cluster.Database);
        var (_, intent) = await AskAsync(file);
        intent.GetProperty("sources").GetArrayLength().ShouldBe(0);
        await Eventually.HoldsAsync(
            async () =>
                (await FindAsync(file, intent))
                    .GetProperty("says")
                    .GetString()!
                    .Contains("No other node has it stored", StringComparison.Ordinal),
            "it says what it waits for"
        );

        await WithdrawAsync(file, intent);
        await GoneAsync(file);
        await source.OfferAsync(file);
        await AskAsync(file);

        await Cluster.StoredAsync(file);
    }

    [Fact]
    public async Task A_file_that_the_policy_wants_stays_wanted_when_the_last_intent_is_withdrawn()
    {
        await using var source = await Cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size, place: UnwantingCluster.WantedPrefix));
        source.BytesPerSecond = Size / 4;
        var (_, intent) = await AskAsync(file);

        var withdrawn = await WithdrawAsync(file, intent);

        withdrawn.GetProperty("says").GetString()!.ShouldContain("policy");
        await Cluster.StoredAsync(file);
    }

    [Fact]
    public async Task A_file_that_is_stored_here_is_answered_without_a_connection_and_stays_when_withdrawn()
    {
        await using var source = await Cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size, seed: 4711));
        await AskAsync(file);
        await Cluster.StoredAsync(file);
        var requests = source.Requests;

        var (status, intent) = await AskAsync(file);
        status.ShouldBe(HttpStatusCode.OK);
        intent.GetProperty("outcome").GetString().ShouldBe("stored");
        intent.GetProperty("says").GetString()!.ShouldContain("no source was asked");
        (await WithdrawAsync(file, intent)).GetProperty("outcome").GetString().ShouldBe("stored");

        // The same content under another key is on this disk, too.
        var twin = await source.OfferAsync(TestFile.Of(Size, seed: 4711));
        (status, intent) = await AskAsync(twin);
        status.ShouldBe(HttpStatusCode.OK);
        intent.GetProperty("state").GetString().ShouldBe("stored");
        await Cluster.StoredAsync(twin);
        await Cluster.StoredAsync(file);
        source.Requests.ShouldBe(requests);
    }

    [Fact]
    public async Task An_intent_ends_when_the_attempts_are_spent_and_a_new_one_tries_again()
    {
        await using var source = await Cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size));
        source.SendsOtherHashes = true;
        var (_, intent) = await AskAsync(file);
        await OutcomeIsAsync(file, intent, "failed");
        (await FindAsync(file, intent)).GetProperty("says").GetString()!.ShouldContain(source.Id);

        source.SendsOtherHashes = false;
        await using var honest = await Cluster.StartSourceAsync();
        await honest.OfferAsync(file);
        var (status, again) = await AskAsync(file);

        status.ShouldBe(HttpStatusCode.Created);
        await Cluster.StoredAsync(file);
        await OutcomeIsAsync(file, again, "stored");
        (await FindAsync(file, intent)).GetProperty("outcome").GetString().ShouldBe("failed");
    }

    [Fact]
    public async Task An_intent_ends_when_its_file_is_removed_and_neither_key_can_be_asked_for()
    {
        var file = TestFile.Of(Size);
        await file.KnowAsync(Cluster.Database);
        var (_, intent) = await AskAsync(file);
        (await Cluster.Leader.Http.DeleteAsync($"/v1/files/{file.Key}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        await OutcomeIsAsync(file, intent, "removed");
        using var removed = await Cluster.Follower.Http.PostAsync($"/v1/files/{file.Key}/fetch", null);
        var problem = await removed.ShouldBeProblemAsync(404, "file-removed", file.Key.ToString());
        problem.GetProperty("state").GetString().ShouldBe("removed");
        var unknown = TestFile.Of(10).Key.ToString();
        using var never = await Cluster.Follower.Http.PostAsync($"/v1/files/{unknown}/fetch", null);
        await never.ShouldBeProblemAsync(404, "file-unknown", unknown);
    }

    [Fact]
    public async Task An_intent_that_this_node_does_not_have_is_unknown()
    {
        var file = TestFile.Of(10);
        await file.KnowAsync(Cluster.Database);
        var id = Guid.NewGuid().ToString();

        using var found = await Cluster.Follower.Http.GetAsync($"/v1/files/{file.Key}/fetch/{id}");
        await found.ShouldBeProblemAsync(404, "intent-unknown", id, file.Key.ToString());
        using var withdrawn = await Cluster.Follower.Http.DeleteAsync($"/v1/files/{file.Key}/fetch/{id}");
        await withdrawn.ShouldBeProblemAsync(404, "intent-unknown", id);
    }

    [Fact]
    public async Task Whatever_order_clients_ask_and_withdraw_in_the_file_comes_exactly_when_one_still_wants_it()
    {
        await using var source = await Cluster.StartSourceAsync();
        var kept = await source.OfferAsync(TestFile.Of(60_000));
        var dropped = TestFile.Of(60_000);
        await dropped.KnowAsync(Cluster.Database);

        await Task.WhenAll(Enumerable.Range(0, 10).Select(client => StormAsync(client, kept, dropped)));

        await Cluster.StoredAsync(kept);
        await GoneAsync(dropped);
    }

    private async Task StormAsync(int client, TestFile kept, TestFile dropped)
    {
        for (var round = 0; round < 10; round++)
        {
            var (status, intent) = await AskAsync(dropped);
            status.ShouldBe(HttpStatusCode.Created);
            await WithdrawAsync(dropped, intent);
            (_, intent) = await AskAsync(kept);
            if (client > 0 || round < 9)
            {
                await WithdrawAsync(kept, intent);
            }
        }
    }

    private async Task<(HttpStatusCode Status, JsonElement Intent)> AskAsync(TestFile file)
    {
        using var response = await Cluster.Follower.Http.PostAsync($"/v1/files/{file.Key}/fetch", null);
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
        var intent = await response.Content.ReadFromJsonAsync<JsonElement>();
        if (response.StatusCode == HttpStatusCode.Created)
        {
            response.Headers.Location!.OriginalString.ShouldBe($"/v1/files/{file.Key}/fetch/{Id(intent)}");
        }

        return (response.StatusCode, intent);
    }

    private Task<JsonElement> FindAsync(TestFile file, JsonElement intent) =>
        Cluster.Follower.GetJsonAsync($"/v1/files/{file.Key}/fetch/{Id(intent)}");

    private async Task<JsonElement> WithdrawAsync(TestFile file, JsonElement intent)
    {
        using var response = await Cluster.Follower.Http.DeleteAsync($"/v1/files/{file.Key}/fetch/{Id(intent)}");
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    private Task OutcomeIsAsync(TestFile file, JsonElement intent, string outcome) =>
        Eventually.HoldsAsync(
            async () => (await FindAsync(file, intent)).GetProperty("outcome").GetString() == outcome,
            $"the intent ends as {outcome}",
            TimeSpan.FromSeconds(20)
        );

    private Task GoneAsync(TestFile file) =>
        Eventually.HoldsAsync(async () => await Cluster.ReplicaAsync(file) is null, $"{file.Key} is gone from the follower");

    private static string Id(JsonElement intent) => intent.GetProperty("id").GetString()!;
}

/// <summary>A follower whose policy wants of the tests' bucket only what begins with <see cref="WantedPrefix"/>.</summary>
public sealed class UnwantingCluster : IAsyncLifetime
{
    public const string WantedPrefix = "wanted/";

    public SourceCluster Cluster { get; } = new();

    public async ValueTask InitializeAsync()
    {
        await Cluster.InitializeAsync();
        await Cluster.Database.ExecuteAsync(
            $"""
            INSERT INTO filetransfer.policies (node_id, bucket, kind, prefixes, exacts, review_due)
            VALUES ('{Cluster.Follower.Id}', '\x02', 'nothing-except', ARRAY[convert_to('{WantedPrefix}', 'UTF8')], '{"{}"}', false)
            """
        );
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
