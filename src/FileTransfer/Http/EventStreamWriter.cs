namespace FileTransfer.Http;

/// <summary>Writes server-sent events (<c>text/event-stream</c>) as an answer. Nothing is on its way before <see cref="FlushAsync"/>.</summary>
/// <remarks>
/// <see cref="TypedResults.ServerSentEvents{T}(IAsyncEnumerable{T}, string)"/> writes no comments, and heartbeats are comments.
/// </remarks>
public sealed class EventStreamWriter
{
    public const string ContentType = "text/event-stream";

    private readonly PipeWriter _body;

    private EventStreamWriter(PipeWriter body) => _body = body;

    /// <param name="retry">After how long a reader whose connection ends comes back.</param>
    public static async Task<EventStreamWriter> StartAsync(
        HttpResponse response,
        TimeSpan retry,
        CancellationToken cancellationToken
    )
    {
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        // Proxies that gather answers would hold events back.
        response.Headers["X-Accel-Buffering"] = "no";
        await response.StartAsync(cancellationToken);
        var writer = new EventStreamWriter(response.BodyWriter);
        writer.Write($"retry: {retry.TotalMilliseconds:0}\n\n");
        return writer;
    }

    /// <summary>An event, for as many readers as there are.</summary>
    /// <param name="json">JSON in UTF-8, on one line.</param>
    public static byte[] FrameOf(string id, string name, ReadOnlySpan<byte> json) =>
        [.. Encoding.UTF8.GetBytes($"id: {id}\nevent: {name}\ndata: "), .. json, .. "\n\n"u8];

    public void Write(ReadOnlySpan<byte> frame) => _body.Write(frame);

    /// <summary>Shows that the connection is alive, and moves the reader's last event id to <paramref name="id"/>.</summary>
    public void Heartbeat(string id) => Write($": alive\nid: {id}\n\n");

    /// <summary>Sends what was written, and waits for a reader who is slow.</summary>
    /// <returns>False when nobody reads any more.</returns>
    public async ValueTask<bool> FlushAsync(CancellationToken cancellationToken) =>
        !(await _body.FlushAsync(cancellationToken)).IsCompleted;

    private void Write(string text) => Encoding.UTF8.GetBytes(text, _body);
}
