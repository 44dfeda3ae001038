using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <param name="Node">Whose process told it.</param>
/// <param name="Scope">The source of it in that process.</param>
/// <param name="Parent">The id of the span that it is a part of; empty where it is the first.</param>
public sealed record CollectedSpan(string Node, string Scope, string Trace, string Id, string Parent, string Name);

/// <summary>Takes what nodes tell a collector by OTLP over HTTP, and reads of the spans what the facts need.</summary>
public sealed class FakeCollector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<CollectedSpan> _spans = [];

    private FakeCollector(WebApplication app) => _app = app;

    public IReadOnlyCollection<CollectedSpan> Spans => _spans;

    /// <summary>Settings of a node that tells it.</summary>
    public (string Name, string Value)[] Settings =>
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", _app.Urls.Single()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ];

    public static async Task<FakeCollector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var collector = new FakeCollector(app);
        app.MapPost("/v1/metrics", () => TypedResults.Ok());
        app.MapPost(
            "/v1/traces",
            async (HttpRequest request) =>
            {
                using var body = new MemoryStream();
                await request.Body.CopyToAsync(body);
                foreach (var resource in Fields(body.ToArray(), 1))
                {
                    collector.Keep(resource);
                }
            }
        );
        await app.StartAsync();
        return collector;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private void Keep(ReadOnlyMemory<byte> resource)
    {
        var node = Fields(Field(resource, 1), 1)
            .Select(attribute => (Key: Text(attribute, 1), Value: Field(attribute, 2)))
            .Where(attribute => attribute.Key == "service.instance.id")
            .Select(attribute => Text(attribute.Value, 1))
            .Single();
        foreach (var scope in Fields(resource, 2))
        {
            var source = Text(Field(scope, 1), 1);
            foreach (var span in Fields(scope, 2))
            {
                _spans.Enqueue(new CollectedSpan(node, source, Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5)));
            }
        }
    }

    private static string Text(ReadOnlyMemory<byte> message, int field) => Encoding.UTF8.GetString(Field(message, field).Span);

    private static string Hex(ReadOnlyMemory<byte> message, int field) => Convert.ToHexStringLower(Field(message, field).Span);

    private static ReadOnlyMemory<byte> Field(ReadOnlyMemory<byte> message, int field) => Fields(message, field).LastOrDefault();

    /// <summary>The fields of this number in a message of Protocol Buffers, those that have bytes.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Fields(ReadOnlyMemory<byte> message, int wanted)
    {
        for (var at = 0; at < message.Length; )
        {
            var tag = Number(message.Span, ref at);
            var length = 0;
            switch (tag & 7)
            {
                case 0:
                    Number(message.Span, ref at);
                    break;
                case 1:
                    length = sizeof(long);
                    break;
                case 5:
                    length = sizeof(int);
                    break;
                default:
                    length = (int)Number(message.Span, ref at);
                    break;
            }

            if ((int)(tag >> 3) == wanted)
            {
                yield return message.Slice(at, length);
            }

            at += length;
        }
    }

    private static ulong Number(ReadOnlySpan<byte> bytes, ref int at)
    {
        var number = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var part = bytes[at++];
            number |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return number;
            }
        }
    }
}
