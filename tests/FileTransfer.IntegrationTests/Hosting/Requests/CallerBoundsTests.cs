using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using FileTransfer.Http;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Builder;

namespace FileTransfer.IntegrationTests.Hosting.Requests;

/// <summary>A caller gets its own share of a node, and no more, whatever others do.</summary>
public sealed class CallerBoundsTests
{
    private static readonly string _settings = SettingsOf(
        ("Requests", 3),
        ("EventStreams", 1),
        ("Uploads", 2),
        ("WrongTokensPerMinute", 2)
    );

    private int _arrived;

    [Fact]
    public async Task A_caller_with_all_its_requests_under_way_is_answered_429_until_one_ends_and_another_is_not()
    {
        var gate = new TaskCompletionSource();
        await using var server = await RunningServer.StartAsync(_settings, app => MapGates(app, gate.Task));
        var waiting = Enumerable.Range(0, 3).Select(_ => server.SendAsync(HttpMethod.Get, "/gate", "a")).ToList();
        await ArrivedAsync(3);

        await RefusedAsync(server, HttpMethod.Get, "/open", "Requests");
        (await server.SendAsync(HttpMethod.Get, "/open", "b")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await server.SendAsync(HttpMethod.Get, "/health/live", "a")).StatusCode.ShouldBe(HttpStatusCode.OK);

        gate.SetResult();
        (await Task.WhenAll(waiting)).ShouldAllBe(answer => answer.IsSuccessStatusCode);
        await IsLetInAsync(server, "/open");
    }

    [Thorough]
    [Fact]
    public async Task Event_streams_and_uploads_have_bounds_of_their_own()
    {
        var gate = new TaskCompletionSource();
        await using var server = await RunningServer.StartAsync(_settings, app => MapGates(app, gate.Task));
        using (await OpenStreamAsync(server, "a"))
        {
            await RefusedAsync(server, HttpMethod.Get, "/v1/events", "EventStreams");
            using var ofAnother = await OpenStreamAsync(server, "b");
            (await server.SendAsync(HttpMethod.Get, "/open", "a")).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        await Eventually.HoldsAsync(
            async () =>
            {
                using var stream = await OpenStreamAsync(server, "a");
                return stream.IsSuccessStatusCode;
            },
            "a stream that is closed makes room for another"
        );

        var uploads = Enumerable.Range(0, 2).Select(_ => server.SendAsync(HttpMethod.Post, "/upload-gate", "a")).ToList();
        await ArrivedAsync(2);
        await RefusedAsync(server, HttpMethod.Post, "/upload-open", "Uploads");
        await IsLetInAsync(server, "/open");
        gate.SetResult();
        (await Task.WhenAll(uploads)).ShouldAllBe(answer => answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task An_address_that_guesses_tokens_is_answered_429_and_a_right_one_is_let_in()
    {
        await using var server = await RunningServer.StartAsync(_settings, app => MapGates(app, Task.CompletedTask));
        for (var i = 0; i < 2; i++)
        {
            (await server.SendAsync(HttpMethod.Get, "/open", $"guess-{i}")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }

        using var refused = await server.SendAsync(HttpMethod.Get, "/open", "guess-3");
        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        (await refused.ReadProblemAsync("too-many-requests")).GetProperty("limit").GetString().ShouldBe("WrongTokensPerMinute");
        (await server.SendAsync(HttpMethod.Get, "/open", "a")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await server.SendAsync(HttpMethod.Get, "/open")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Answers_in_JSON_have_a_bound_of_their_own()
    {
        var gate = new TaskCompletionSource();
        await using var server = await RunningServer.StartAsync(SettingsOf(("Reads", 1)), app => MapGates(app, gate.Task));
        var running = server.SendAsync(HttpMethod.Get, "/gate", "a");
        await ArrivedAsync(1);

        await RefusedAsync(server, HttpMethod.Get, "/open", "Reads");
        (await server.SendAsync(HttpMethod.Get, "/open", "b")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await server.SendAsync(HttpMethod.Post, "/upload-open", "a")).StatusCode.ShouldBe(HttpStatusCode.OK);
        gate.SetResult();
        (await running).StatusCode.ShouldBe(HttpStatusCode.OK);
        await IsLetInAsync(server, "/open");
    }

    [Fact]
    public async Task A_caller_has_so_many_bytes_of_uploads_under_way_and_so_many_answers_a_second()
    {
        var gate = new TaskCompletionSource();
        var settings = SettingsOf(("UploadBytes", 1000), ("ReadsPerSecond", 2));
        await using var server = await RunningServer.StartAsync(settings, app => MapGates(app, gate.Task));
        var running = server.SendAsync(HttpMethod.Post, "/upload-gate", "a", new ByteArrayContent(new byte[600]));
        await ArrivedAsync(1);

        using (var refused = await server.SendAsync(HttpMethod.Post, "/upload-open", "a", new ByteArrayContent(new byte[500])))
        {
            refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
            (await refused.ReadProblemAsync("too-many-requests")).GetProperty("limit").GetString().ShouldBe("UploadBytes");
        }

        (await server.SendAsync(HttpMethod.Post, "/upload-open", "a", new ByteArrayContent(new byte[400]))).StatusCode.ShouldBe(
            HttpStatusCode.OK
        );
        (await server.SendAsync(HttpMethod.Post, "/upload-open", "b", new ByteArrayContent(new byte[500]))).StatusCode.ShouldBe(
            HttpStatusCode.OK
        );
        gate.SetResult();
        (await running).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await server.SendAsync(HttpMethod.Post, "/upload-open", "a", new ByteArrayContent(new byte[500]))).StatusCode.ShouldBe(
            HttpStatusCode.OK
        );

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => server.SendAsync(HttpMethod.Get, "/open", "a")));
        answers.Count(answer => answer.StatusCode == HttpStatusCode.TooManyRequests).ShouldBeGreaterThan(0);
        var heads = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => server.SendAsync(HttpMethod.Head, "/v1/caller", "a")));
        heads.Count(answer => answer.StatusCode == HttpStatusCode.TooManyRequests).ShouldBeGreaterThan(0);
        (await server.SendAsync(HttpMethod.Get, "/open", "b")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await IsLetInAsync(server, "/open");
    }

    [Fact]
    public async Task A_caller_has_so_many_intents_and_a_node_so_many_policies_and_their_listing_ends_at_a_bound_of_bytes()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync(
            "a",
            ("FileTransfer__Callers__Intents", "2"),
            ("FileTransfer__Callers__Policies", "3")
        );
        var files = new[] { PlainFile.Random(1), PlainFile.Random(2), PlainFile.Random(3) };
        foreach (var file in files)
        {
            await node.RegisterAsync(file);
        }

        (await FetchAsync(files[0])).StatusCode.ShouldBe(HttpStatusCode.Created);
        using var second = await FetchAsync(files[1]);
        second.StatusCode.ShouldBe(HttpStatusCode.Created);
        using (var refused = await FetchAsync(files[2]))
        {
            (await refused.ReadProblemAsync("too-many-requests")).GetProperty("limit").GetString().ShouldBe("Intents");
        }

        (await node.Http.DeleteAsync(second.Headers.Location)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await FetchAsync(files[2])).StatusCode.ShouldBe(HttpStatusCode.Created);

        var filler = new string('x', 60_000);
        for (var i = 1; i <= 3; i++)
        {
            using var set = await SetAsync(i);
            set.IsSuccessStatusCode.ShouldBeTrue(await set.Content.ReadAsStringAsync());
        }

        using (var refused = await SetAsync(4))
        {
            (await refused.ReadProblemAsync("too-many-requests")).GetProperty("limit").GetString().ShouldBe("Policies");
        }

        var page = await node.GetJsonAsync("/v1/buckets");
        page.GetProperty("buckets").GetArrayLength().ShouldBe(1);
        var next = await node.GetJsonAsync($"/v1/buckets?after={page.GetProperty("next").GetString()}");
        next.GetProperty("buckets")[0].GetProperty("bucket").GetString().ShouldNotBe(page.GetProperty("next").GetString());

        Task<HttpResponseMessage> FetchAsync(PlainFile file) => node.Http.PostAsync($"/v1/files/{file.Key}/fetch", null);

        Task<HttpResponseMessage> SetAsync(int bucket) =>
            node.Http.PutAsJsonAsync(
                $"/v1/buckets/0x000{bucket}/policy?wait=10",
                new { kind = "nothing-except", filters = Enumerable.Range(0, 20).Select(i => $"prefix:utf8:{i}{filler}") }
            );
    }

    private Task ArrivedAsync(int requests) =>
        Eventually.HoldsAsync(
            () => Task.FromResult(Volatile.Read(ref _arrived) == requests),
            $"{requests} requests are under way"
        );

    private void MapGates(WebApplication app, Task gate)
    {
        Task WaitAsync()
        {
            Interlocked.Increment(ref _arrived);
            return gate;
        }

        app.MapGet("/gate", WaitAsync);
        app.MapGet("/open", () => "text");
        app.MapPost("/upload-gate", WaitAsync).TakesOctets("Anything.");
        app.MapPost("/upload-open", () => "text").TakesOctets("Anything.");
    }

    private static async Task RefusedAsync(RunningServer server, HttpMethod method, string path, string limit)
    {
        using var refused = await server.SendAsync(method, path, "a");
        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        refused.Headers.RetryAfter.ShouldNotBeNull();
        var problem = await refused.ReadProblemAsync("too-many-requests");
        problem.GetProperty("limit").GetString().ShouldBe(limit);
        problem.GetProperty("detail").GetString()!.ShouldContain($"FileTransfer:Callers:{limit}");
    }

    private static Task IsLetInAsync(RunningServer server, string path) =>
        Eventually.HoldsAsync(
            async () => (await server.SendAsync(HttpMethod.Get, path, "a")).StatusCode == HttpStatusCode.OK,
            "it is let in"
        );

    private static Task<HttpResponseMessage> OpenStreamAsync(RunningServer server, string token)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events");
        request.Headers.Authorization = new("Bearer", token);
        return server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static string SettingsOf(params (string Name, int Value)[] limits)
    {
        var settings = JsonNode.Parse(RunningServer.Tokens(RunningServer.Token("a", "read"), RunningServer.Token("b", "read")))!;
        settings["FileTransfer"]!["Callers"] = new JsonObject(
            limits.Select(limit => KeyValuePair.Create(limit.Name, (JsonNode?)limit.Value))
        );
        return settings.ToJsonString();
    }
}
