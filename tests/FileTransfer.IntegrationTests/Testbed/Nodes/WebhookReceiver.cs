using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A program that nodes post to: it refuses until it is told to take, and takes nothing that is not signed.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private const string Secret = "a secret of the receiver";

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<JsonElement> _told = new();
    private int _refused;

    private WebhookReceiver(WebApplication app) => _app = app;

    public bool Takes { get; set; }

    /// <summary>Posts that were refused, or not signed right.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>Bodies that were taken, in their order.</summary>
    public IReadOnlyCollection<JsonElement> Told => _told;

    /// <summary>Settings of a node that tells it.</summary>
    public (string, string)[] Settings(params string[] events) =>
        [
            ("FileTransfer__Webhooks__0__Url", $"{_app.Urls.First()}/hook"),
            ("FileTransfer__Webhooks__0__Secret", Secret),
            .. events.Select((kind, i) => ($"FileTransfer__Webhooks__0__Events__{i}", kind)),
        ];

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var receiver = new WebhookReceiver(builder.Build());
        receiver._app.MapPost("/hook", (Delegate)receiver.TakeAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task<IResult> TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        var signed = Encoding.UTF8.GetBytes($"{context.Request.Headers["FileTransfer-Time"]}.{body}");
        var signature = "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), signed));
        if (!Takes || context.Request.Headers["FileTransfer-Signature"] != signature)
        {
            Interlocked.Increment(ref _refused);
            return Results.StatusCode((int)HttpStatusCode.ServiceUnavailable);
        }

        _told.Enqueue(JsonDocument.Parse(body).RootElement);
        return Results.Ok();
    }
}
