using System.Net;
using FileTransfer.Downloads.Progress;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads.Progress;

/// <summary>A late follower gets the present state first, then every change; one who comes back gets what it missed.</summary>
public sealed class EventsTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    private const int Size = 3_000_000;

    private NodeProcess Follower => cluster.Follower;

    [Fact]
    public async Task The_present_state_comes_first_and_then_the_way_to_stored()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size));
        await using var reader = await EventReader.OpenAsync(Follower, file);
        var first = await reader.NextAsync("state");
        first.Text("state").ShouldBe("absent");
        first.Text("key").ShouldBe(file.Key.ToString());
        first.Text("fileState").ShouldBe("added");

        await file.WantAtAsync(Follower);

        await reader.NextAsync(IsStored, "it is stored");
        reader.Events[0].ShouldBe(first);
        reader.Events.ShouldAllBe(e => e.Key == file.Key.ToString());

        await using var late = await EventReader.OpenAsync(Follower, file);
        (await late.NextAsync("state")).Text("state").ShouldBe("stored");
    }

    [Fact]
    public async Task A_download_tells_who_sends_what_is_proven_and_who_was_given_up()
    {
        await using var liar = await cluster.StartSourceAsync();
        await using var honest = await cluster.StartSourceAsync();
        var file = await liar.OfferAsync(TestFile.Of(Size));
        await honest.OfferAsync(file);
        liar.LiesInBody = 1;
        honest.BytesPerSecond = Size / 8;
        await using var reader = await EventReader.OpenAsync(Follower, file);
        await reader.NextAsync("state");

        await file.WantAtAsync(Follower);

        var given = await reader.NextAsync(
            e => e.Name == "sourceChanged" && e.Text("source") == $"node {liar.Id}",
            "the liar is named"
        );
        given.Text("reason")!.ShouldContain(liar.Id);
        await reader.NextAsync(e => e.Name == "connected" && e.Text("source") == $"node {honest.Id}", "the other one connects");
        await reader.NextAsync(
            e => e.Name == "proven" && e.Text("source") == $"node {honest.Id}",
            "it brings what the liar, whose last right chunks are told too, does not"
        );
        await using var late = await EventReader.OpenAsync(Follower, file);
        var state = await late.NextAsync("state");
        state.Text("state").ShouldBe("downloading");
        state.Text("source").ShouldNotBe($"node {liar.Id}");
        state.BytesProven.ShouldBeGreaterThan(0);
        state.Data.GetProperty("ranges").GetArrayLength().ShouldBeGreaterThan(0);

        (await reader.NextAsync("done")).BytesProven.ShouldBe(Size);
        var proven = reader.Events.Where(e => e.Name == "proven").ToList();
        proven.Select(e => e.BytesProven).ShouldBeInOrder();
        proven
            .SelectMany(e => e.Data.GetProperty("ranges").EnumerateArray())
            .SelectMany(range => Enumerable.Range(range[0].GetInt32(), range[1].GetInt32()))
            .Distinct()
            .Count()
            .ShouldBe((Size + 1023) / 1024);
    }

    [Fact]
    public async Task A_follower_who_comes_back_gets_what_it_missed_and_no_state()
    {
        var file = TestFile.Of(Size);
        await file.KnowAsync(cluster.Database);
        string last;
        await using (var reader = await EventReader.OpenAsync(Follower, file))
        {
            last = (await reader.NextAsync("state")).Id;
        }

        using (var asked = await Follower.Http.PostAsync($"/v1/files/{file.Key}/fetch", null))
        {
            asked.StatusCode.ShouldBe(HttpStatusCode.Created);
        }

        await using var again = await EventReader.OpenAsync(Follower, file, last);
        await again.NextAsync("wanted");
        again.Names[0].ShouldBe("wanted");

        // An id of another process, or of an event that is not kept, begins with the state.
        await using var stranger = await EventReader.OpenAsync(Follower, file, "1-17");
        (await stranger.NextAsync("state")).Text("state").ShouldBeOneOf("wanted", "downloading");
        stranger.Names[0].ShouldBe("state");
    }

    [Fact]
    public async Task Every_follower_hears_of_a_removal_and_why()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(Size));
        source.BytesPerSecond = Size / 60;
        await file.WantAtAsync(Follower);
        await using var one = await EventReader.OpenAsync(Follower, file);
        await using var all = await EventReader.OpenAsync(Follower, "/v1/events");
        await all.NextAsync("state");

        using (var removed = await cluster.Leader.Http.DeleteAsync($"/v1/files/{file.Key}"))
        {
            removed.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        }

        foreach (var reader in (EventReader[])[one, all])
        {
            var withdrawn = await reader.NextAsync(
                e => e.Name == "withdrawn" && e.Key == file.Key.ToString(),
                "the removal is told"
            );
            withdrawn.Text("reason").ShouldBe("removed from the cluster");
        }

        using var after = await Follower.Http.GetAsync($"/v1/files/{file.Key}/events");
        await after.ShouldBeProblemAsync(404, "file-removed", file.Key.ToString());
    }

    [Fact]
    public async Task The_stream_of_a_node_tells_of_all_its_files()
    {
        await using var reader = await EventReader.OpenAsync(Follower, "/v1/events");
        (await reader.NextAsync("state")).Text("node").ShouldBe(Follower.Id);
        var files = Enumerable.Range(0, 5).Select(_ => TestFile.Of(10_000)).ToList();

        foreach (var file in files)
        {
            await cluster.Leader.PutAsync(file.Content, file.Location);
        }

        foreach (var file in files)
        {
            await reader.NextAsync(e => e.Name == "wanted" && e.Key == file.Key.ToString(), $"{file.Key} is wanted");
        }
    }

    [Fact]
    public async Task An_upload_is_told_at_the_node_that_takes_it()
    {
        var file = TestFile.Of(10_000);
        await using var reader = await EventReader.OpenAsync(cluster.Leader, "/v1/events");
        await reader.NextAsync("state");

        await cluster.Leader.PutAsync(file.Content, file.Location);

        var done = await reader.NextAsync(e => e.Name == "done" && e.Key == file.Key.ToString(), "the upload is told");
        done.BytesProven.ShouldBe(file.Content.Length);
    }

    [Fact]
    public async Task What_another_process_does_is_told_when_the_state_is_reviewed()
    {
        var file = TestFile.Of(Size);
        await file.WantAtAsync(Follower);
        await file.KnowAsync(cluster.Database);
        await using var reader = await EventReader.OpenAsync(Follower, file);
        await reader.NextAsync("state");

        await cluster.Database.ExecuteAsync(
            $"UPDATE filetransfer.replicas SET state = 'paused', reason = 'a person says so' WHERE file_key = {file.KeySql}"
        );

        var paused = await reader.NextAsync(e => e.Text("state") == "paused", "the new state is told");
        paused.Text("reason").ShouldBe("a person says so");
    }

    [Thorough]
    [Fact]
    public async Task Nothing_but_heartbeats_comes_while_nothing_happens()
    {
        var file = TestFile.Of(Size);
        await file.KnowAsync(cluster.Database);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/files/{file.Key}/events");
        using var response = await Follower.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var lines = new List<string>();
        using var limit = new CancellationTokenSource(EventStream.HeartbeatPeriod * 4);
        while (!lines.Contains(": alive"))
        {
            lines.Add((await reader.ReadLineAsync(limit.Token))!);
        }

        lines[0].ShouldBe("retry: 1000");
        lines.Count(line => line.StartsWith("event:", StringComparison.Ordinal)).ShouldBe(1);
        (await reader.ReadLineAsync(limit.Token))!.ShouldStartWith("id: ");
    }

    [Fact]
    public async Task A_follower_who_does_not_read_holds_up_nobody()
    {
        using var silent = new HttpRequestMessage(HttpMethod.Get, "/v1/events");
        using var unread = await Follower.Http.SendAsync(silent, HttpCompletionOption.ResponseHeadersRead);
        await using var source = await cluster.StartSourceAsync();
        var files = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => source.OfferAsync(TestFile.Of(1000))));
        await using var reader = await EventReader.OpenAsync(Follower, "/v1/events");
        await reader.NextAsync("state");

        foreach (var file in files)
        {
            using var asked = await Follower.Http.PostAsync($"/v1/files/{file.Key}/fetch", null);
            asked.IsSuccessStatusCode.ShouldBeTrue();
        }

        foreach (var file in files)
        {
            await reader.NextAsync(e => e.Name == "wanted" && e.Key == file.Key.ToString(), $"{file.Key} is told");
            await cluster.StoredAsync(file);
        }
    }

    [Fact]
    public async Task An_unknown_file_has_no_events()
    {
        var key = TestFile.Of(10).Key.ToString();
        using var response = await Follower.Http.GetAsync($"/v1/files/{key}/events");
        await response.ShouldBeProblemAsync(404, "file-unknown", key);
    }

    private static bool IsStored(ReadEvent e) => e.Name == "done" || (e.Name == "state" && e.Text("state") == "stored");
}
