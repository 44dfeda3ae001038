using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using FileTransfer.Cli;
using FileTransfer.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class FetchCommandTests : IDisposable
{
    private static readonly FileKey _key = CliHarness.Metadata("a.bin", CliHarness.Bytes(100)).ComputeKey();

    private readonly CliHarness _cli = new();
    private readonly ConcurrentQueue<string> _withdrawn = new();
    private readonly ConcurrentQueue<string> _lastEventIds = new();
    private readonly ConcurrentDictionary<string, bool> _made = new();

    /// <summary>What each connection to the events gets before it ends; the last one stays open.</summary>
    private readonly ConcurrentQueue<string[]> _streams = new();

    private string? _outcome;

    /// <summary>The node makes intents, and its answers never come.</summary>
    private bool _answersNone;

    /// <summary>An intent that the node does not know.</summary>
    private string? _unknown;

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task It_waits_until_the_file_is_stored()
    {
        await using var node = await StartAsync();
        _streams.Enqueue([Event("1", "state", "wanted"), Event("2", "proven", proven: 50), Event("3", "done", proven: 100)]);

        var text = await _cli.RunAsync("fetch", _key.ToString(), "--url", node.Address);

        text.Code.ShouldBe(ExitCode.Ok, text.Error);
        text.Lines.Single().Split('\t').Take(2).ShouldBe([_key.ToString(), "stored"]);
        _withdrawn.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_lost_stream_goes_on_behind_the_last_event()
    {
        await using var node = await StartAsync();
        _streams.Enqueue([Event("1", "state", "wanted"), Event("2", "proven", proven: 50), ": alive\nid: 7\n\n"]);
        _streams.Enqueue([Event("8", "done", proven: 100)]);

        var result = await _cli.RunAsync("fetch", _key.ToString(), "--json", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        ((string)JsonNode.Parse(result.Lines.Single())!["outcome"]!).ShouldBe("stored");
        _lastEventIds.ShouldBe(["", "7"]);
        _made.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_file_that_failed_ends_with_3_and_one_that_is_unknown_with_5()
    {
        await using var node = await StartAsync();
        _streams.Enqueue([Event("1", "state", "failed")]);
        _outcome = "failed";

        (await _cli.RunAsync("fetch", _key.ToString(), "--url", node.Address)).Code.ShouldBe(ExitCode.NotComplete);

        node.Before = null;
        (await _cli.RunAsync("fetch", _key.ToString(), "--url", node.Address)).Code.ShouldBe(ExitCode.NotFound);
    }

    [Fact]
    public async Task An_interrupted_wait_withdraws_its_intents()
    {
        await using var node = await StartAsync();
        _streams.Enqueue([Event("1", "state", "wanted")]);
        using var interrupt = new CancellationTokenSource();
        var running = _cli.RunAsync(["fetch", _key.ToString(), "--url", node.Address], interrupt.Token);
        await Eventually.HoldsAsync(() => !_lastEventIds.IsEmpty, () => "it follows the events");
        await interrupt.CancelAsync();

        (await running).Code.ShouldBe(ExitCode.Interrupted);
        _withdrawn.ShouldBe(_made.Keys);
    }

    [Fact]
    public async Task A_wait_that_is_over_ends_with_4_and_withdraws()
    {
        await using var node = await StartAsync();
        _streams.Enqueue([Event("1", "state", "wanted")]);
        var time = new FakeTimeProvider();
        _cli.Time = time;

        var running = _cli.RunAsync("fetch", _key.ToString(), "--wait", "10s", "--url", node.Address);
        await Eventually.HoldsAsync(() => !_lastEventIds.IsEmpty, () => "it follows the events");
        time.Advance(TimeSpan.FromSeconds(10));

        var result = await running;
        result.Code.ShouldBe(ExitCode.TimedOut);
        result.Error.ShouldContain("1 of 1 files");
        _withdrawn.ShouldBe(_made.Keys);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_wait_that_is_over_before_the_node_has_answered_withdraws_what_it_may_have_made(bool wasMade)
    {
        await using var node = await StartAsync();
        _answersNone = true;
        var time = new FakeTimeProvider();
        _cli.Time = time;

        var running = _cli.RunAsync("fetch", _key.ToString(), "--wait", "10s", "--url", node.Address);
        await Eventually.HoldsAsync(() => !_made.IsEmpty, () => "the node was asked");
        var asked = _made.Keys.Single();
        _unknown = wasMade ? null : asked;
        time.Advance(TimeSpan.FromSeconds(10));

        var result = await running;
        result.Code.ShouldBe(ExitCode.TimedOut);
        result.Error.ShouldNotContain("could not be withdrawn");
        _withdrawn.ShouldBe([asked]);
    }

    [Fact]
    public async Task Detached_it_leaves_the_intent_which_can_be_withdrawn_by_its_id()
    {
        await using var node = await StartAsync();

        var made = await _cli.RunAsync("fetch", _key.ToString(), "--detach", "--url", node.Address);
        made.Code.ShouldBe(ExitCode.Ok, made.Error);
        var id = made.Lines.Single().Split('\t')[2];
        _withdrawn.ShouldBeEmpty();
        var withdrawn = await _cli.RunAsync("fetch", _key.ToString(), "--withdraw", id, "--url", node.Address);

        withdrawn.Code.ShouldBe(ExitCode.Ok, withdrawn.Error);
        _withdrawn.ShouldBe([id]);
    }

    [Fact]
    public async Task Events_are_a_line_each_and_json_as_they_came()
    {
        await using var node = await StartAsync();
        string[] events = [Event("1", "state", "wanted"), Event("2", "connected"), Event("3", "done", proven: 100)];
        foreach (var json in new[] { false, true })
        {
            // A second connection shows that all of the first was read.
            _streams.Enqueue(events);
            _streams.Enqueue([]);
            _lastEventIds.Clear();
            using var interrupt = new CancellationTokenSource();
            string[] format = json ? ["--json"] : [];
            var running = _cli.RunAsync(["events", _key.ToString(), "--url", node.Address, .. format], interrupt.Token);
            await Eventually.HoldsAsync(() => _lastEventIds.Count == 2, () => "it has read all of the first stream");
            await interrupt.CancelAsync();

            var result = await running;
            result.Code.ShouldBe(ExitCode.Interrupted);
            if (json)
            {
                result.Lines.Select(line => (long)JsonNode.Parse(line)!["bytesProven"]!).ShouldBe([0, 0, 100]);
            }
            else
            {
                result.Lines.Select(line => line.Split('\t')[1]).ShouldBe(["wanted", "connected", "done"]);
                result.Lines[1].Split('\t')[2..].ShouldBe([_key.ToString(), "node a", "0/100", "-"]);
            }
        }
    }

    [Theory]
    [InlineData("wanted", ExitCode.NotComplete)]
    [InlineData("stored", ExitCode.Ok)]
    public async Task An_explanation_is_said_sentence_by_sentence(string state, ExitCode code)
    {
        await using var node = await FakeNode.StartAsync();
        node.Before = async context =>
        {
            if (context.Request.Path != $"/v1/files/{_key}/explain")
            {
                return false;
            }

            await context.Response.WriteAsJsonAsync(new { state, says = new[] { "It waits.", "Node a is silent." } });
            return true;
        };

        var text = await _cli.RunAsync("explain", _key.ToString(), "--url", node.Address);
        var json = await _cli.RunAsync("explain", _key.ToString(), "--json", "--url", node.Address);

        text.Code.ShouldBe(code, text.Error);
        text.Lines.ShouldBe(["It waits.", "Node a is silent."]);
        ((string)JsonNode.Parse(json.Lines.Single())!["state"]!).ShouldBe(state);
    }

    private async Task<FakeNode> StartAsync()
    {
        var node = await FakeNode.StartAsync();
        node.Before = AnswerAsync;
        return node;
    }

    private async Task<bool> AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        var intents = $"/v1/files/{_key}/fetch";
        if (path == intents)
        {
            var id = context.Request.Query["id"].ToString();
            _made[id] = true;
            if (_answersNone)
            {
                await UntilGoneAsync(context);
            }

            context.Response.StatusCode = StatusCodes.Status201Created;
            await context.Response.WriteAsJsonAsync(Intent(id, outcome: null));
            return true;
        }

        if (path.StartsWith(intents, StringComparison.Ordinal))
        {
            var id = path[(intents.Length + 1)..];
            if (HttpMethods.IsDelete(context.Request.Method))
            {
                _withdrawn.Enqueue(id);
            }

            if (id == _unknown)
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return true;
            }

            await context.Response.WriteAsJsonAsync(Intent(id, _outcome ?? "stored"));
            return true;
        }

        if (path != $"/v1/files/{_key}/events")
        {
            return false;
        }

        _streams.TryDequeue(out var events);
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync("retry: 1000\n\n" + string.Concat(events ?? []));
        await context.Response.Body.FlushAsync();
        _lastEventIds.Enqueue(context.Request.Headers["Last-Event-ID"].ToString());
        if (_streams.IsEmpty)
        {
            await UntilGoneAsync(context);
        }

        return true;
    }

    private static async Task UntilGoneAsync(HttpContext context)
    {
        var gone = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    }

    private static object Intent(string id, string? outcome) =>
        new
        {
            id,
            key = _key.ToString(),
            node = "b",
            outcome,
            state = outcome ?? "wanted",
            bytesProven = 0,
            size = 100,
            says = "It is fetched.",
        };

    private static string Event(string id, string name, string? state = null, long proven = 0)
    {
        var data = new JsonObject
        {
            ["key"] = _key.ToString(),
            ["source"] = "node a",
            ["bytesProven"] = proven,
            ["size"] = 100,
        };
        if (state is not null)
        {
            data["state"] = state;
        }

        return $"id: {id}\nevent: {name}\ndata: {data.ToJsonString()}\n\n";
    }
}
