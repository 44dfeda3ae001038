using System.Collections.Concurrent;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>An event as it came.</summary>
internal sealed record ReadEvent(string Id, string Name, JsonElement Data)
{
    public string? Key => Data.TryGetProperty("key", out var key) ? key.GetString() : null;

    public long BytesProven => Data.GetProperty("bytesProven").GetInt64();

    public string? Text(string name) => Data.TryGetProperty(name, out var value) ? value.GetString() : null;
}

/// <summary>Reads a stream of events as long as the test wants.</summary>
internal sealed class EventReader : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<ReadEvent> _events = new();
    private readonly HttpResponseMessage _response;
    private readonly Task _reading;

    private EventReader(HttpResponseMessage response)
    {
        _response = response;
        _reading = ReadAsync();
    }

    public IReadOnlyList<ReadEvent> Events => [.. _events];

    public IReadOnlyList<string> Names => [.. _events.Select(e => e.Name)];

    /// <summary>Completes when the node ends the stream.</summary>
    public Task Ended => _reading;

    public static async Task<EventReader> OpenAsync(NodeProcess node, string path, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        var response = await node.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        return new EventReader(response);
    }

    public static Task<EventReader> OpenAsync(NodeProcess node, TestFile file, string? lastEventId = null) =>
        OpenAsync(node, $"/v1/files/{file.Key}/events", lastEventId);

    /// <summary>Waits for an event that fits, also one that came before.</summary>
    public async Task<ReadEvent> NextAsync(Func<ReadEvent, bool> fits, string what, TimeSpan? within = null)
    {
        ReadEvent? found = null;
        try
        {
            await Eventually.HoldsAsync(
                () => Task.FromResult((found = _events.FirstOrDefault(fits)) is not null),
                what,
                within ?? TimeSpan.FromSeconds(20)
            );
        }
        catch (ShouldAssertException e)
        {
            throw new ShouldAssertException($"{e.Message} There came: {string.Join("; ", _events)}", e);
        }

        return found!;
    }

    public Task<ReadEvent> NextAsync(string name) => NextAsync(e => e.Name == name, $"event '{name}' comes");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.ContinueWith(_ => { }, TaskScheduler.Default);
        _response.Dispose();
        _stop.Dispose();
    }

    private async Task ReadAsync()
    {
        await using var stream = await _response.Content.ReadAsStreamAsync();
        var parser = SseParser.Create(stream, (_, data) => JsonDocument.Parse(data.ToArray()).RootElement.Clone());
        await foreach (var item in parser.EnumerateAsync(_stop.Token))
        {
            _events.Enqueue(new ReadEvent(item.EventId ?? "", item.EventType, item.Data));
        }
    }
}
