using System.Collections.Concurrent;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>An upstream that the test plays; it notes when it was asked for a page.</summary>
internal sealed class FakeUpstream : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly Guid _epoch = Guid.NewGuid();
    private PlainFile? _file;

    private FakeUpstream(WebApplication server, Uri url) => (_server, Url) = (server, url);

    public Uri Url { get; }

    /// <summary>What it says is the newest sequence of the bin of its file.</summary>
    public long Cursor { get; set; } = 1;

    public Func<object>? Answer { get; set; }

    public ConcurrentQueue<DateTime> AskedAt { get; } = new();

    public static async Task<FakeUpstream> StartAsync()
    {
        var url = new Uri($"http://127.0.0.1:{PortOfOwn.Next()}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(url.ToString());
        var app = builder.Build();
        var fake = new FakeUpstream(app, url);
        app.MapGet("/v1/sync/cursors", fake.Cursors);
        app.MapGet("/v1/sync/bins/{bin}", fake.Page);
        app.MapGet("/v1/nodes", () => new { cluster = "fake", nodes = Array.Empty<object>() });
        await app.StartAsync();
        return fake;
    }

    public void Offer(PlainFile file) => _file = file;

    /// <summary>A page with the Add of its file alone.</summary>
    public object PageOf(int bin, long from) =>
        new
        {
            epoch = _epoch,
            bin,
            from,
            topmost = from,
            mutations = new[]
            {
                new
                {
                    sequence = from,
                    kind = "add",
                    key = _file!.Key,
                    metadata = _file.Metadata(),
                    origin = new
                    {
                        cluster = "fake",
                        epoch = _epoch,
                        bin,
                        sequence = from,
                    },
                    appendedAt = DateTime.UnixEpoch,
                },
            },
        };

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private IResult Page()
    {
        AskedAt.Enqueue(DateTime.UtcNow);
        return Results.Json(Answer!());
    }

    private IResult Cursors() =>
        Results.Json(
            new
            {
                cluster = "fake",
                epoch = _epoch,
                bins = Enumerable
                    .Range(0, 16)
                    .Select(bin => new
                    {
                        bin,
                        cursor = _file is { } file && Convert.ToInt32(file.Key[2..3], 16) == bin ? Cursor : 0,
                        retainedFrom = 1,
                        digest = new string('0', 64),
                    }),
            }
        );
}
