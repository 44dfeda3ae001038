using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>"Why is it not here?" has an answer in words.</summary>
public sealed class ExplainTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    [Fact]
    public async Task A_file_nobody_has_is_said_to_have_no_source_and_who_asks_for_it()
    {
        var file = TestFile.Of(10_000);
        await file.KnowAsync(cluster.Database);
        using var asked = await cluster.Follower.Http.PostAsync($"/v1/files/{file.Key}/fetch", null);
        await cluster.ReplicaIsAsync(file, "wanted", "no other node has it stored");

        var explained = await ExplainAsync(file);

        explained.GetProperty("state").GetString().ShouldBe("wanted");
        explained.GetProperty("intents").GetArrayLength().ShouldBe(1);
        explained.GetProperty("nextAttemptAt").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UtcNow.AddMinutes(-1));
        var says = Says(explained);
        says.ShouldContain("no other node has it stored");
        // Once its time has come and until it has been looked for, it says so instead.
        says.ShouldMatch("It is (tried again|being looked for)");
        says.ShouldContain("No other node has it stored.");
        says.ShouldContain("One intent asks for it here");
    }

    [Fact]
    public async Task A_download_names_its_holder_and_lock_and_then_the_file_is_stored()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(3_000_000));
        source.BytesPerSecond = 100_000;
        await file.WantAtAsync(cluster.Follower);
        // The replica and its lock are read one after the other: a claim may come between, and the first one may be over before it is asked for.
        JsonElement explained = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                explained = await ExplainAsync(file);
                return explained.GetProperty("state").GetString() == "downloading"
                    && explained.GetProperty("holderHoldsLock").ValueKind == JsonValueKind.True;
            },
            "the holder is shown with its lock"
        );

        explained.GetProperty("holder").GetString()!.ShouldStartWith("b/lane-");
        explained.GetProperty("sources")[0].GetProperty("source").GetString().ShouldBe($"node {source.Id}");
        Says(explained).ShouldContain("It is being downloaded since");
        Says(explained).ShouldContain($"Nodes that have it stored: {source.Id}.");

        source.BytesPerSecond = 0;
        await cluster.StoredAsync(file);
        Says(await ExplainAsync(file)).ShouldStartWith("It is stored here since");
    }

    [Fact]
    public async Task A_failed_file_names_the_source_and_what_helps()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(3_000_000));
        source.SendsOtherHashes = true;
        await file.WantAtAsync(cluster.Follower);
        await cluster.ReplicaIsAsync(file, "failed");

        var says = Says(await ExplainAsync(file));

        says.ShouldContain("It has failed: all 3 attempts are spent.");
        says.ShouldContain($"node '{source.Id}'");
        says.ShouldContain("when somebody asks for it");
    }

    [Fact]
    public async Task Removed_unwanted_and_unknown_files_are_told_apart()
    {
        var removed = TestFile.Of(10_000);
        await removed.WantAtAsync(cluster.Follower);
        (await cluster.Leader.Http.DeleteAsync($"/v1/files/{removed.Key}")).IsSuccessStatusCode.ShouldBeTrue();
        Says(await ExplainAsync(removed)).ShouldContain("The file was removed from the cluster at ");

        var given = TestFile.Of(10_000);
        await given.KnowAsync(cluster.Database);
        await Eventually.HoldsAsync(
            async () => Says(await ExplainAsync(given)).Contains("It is not wanted here", StringComparison.Ordinal),
            "it is not wanted, once the feed is read"
        );

        var unknown = TestFile.Of(10_000).Key.ToString();
        using var response = await cluster.Follower.Http.GetAsync($"/v1/files/{unknown}/explain");
        await response.ShouldBeProblemAsync(404, "file-unknown", unknown);
    }

    private Task<JsonElement> ExplainAsync(TestFile file) => cluster.Follower.GetJsonAsync($"/v1/files/{file.Key}/explain");

    private static string Says(JsonElement explained) =>
        string.Join('\n', explained.GetProperty("says").EnumerateArray().Select(sentence => sentence.GetString()));
}
