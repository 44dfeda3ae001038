using System.Net;
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
