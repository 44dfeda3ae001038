using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Many followers that the test plays; some of them never answer.</summary>
internal sealed class FakeFollowers : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly Dictionary<int, Fake> _fakes;

    private FakeFollowers(WebApplication server, Dictionary<int, Fake> fakes) => (_server, _fakes) = (server, fakes);

    public IEnumerable<(string Name, Uri Url)> Answering => Of(isSilent: false);

    public IEnumerable<(string Name, Uri Url)> Silent => Of(isSilent: true);

    /// <summary>How many of the silent ones were asked for an answer.</summary>
    public int Unanswered => _fakes.Values.Count(fake => fake.IsSilent && fake.IsAsked);

    /// <summary>When each that answers had applied a file; those that have not are missing.</summary>
    public IReadOnlyList<DateTime> AppliedAt(string key) =>
        [.. _fakes.Values.Where(fake => fake.At.ContainsKey(key)).Select(fake => fake.At[key])];

    public int Greeted => _fakes.Values.Count(fake => fake.IsGreeted);

    public static async Task<FakeFollowers> StartAsync(int answering, int silent)
    {
        var fakes = Enumerable.Range(0, answering + silent).ToDictionary(_ => PortOfOwn.Next(), i => new Fake(i >= answering));
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls([.. fakes.Keys.Select(port => $"http://127.0.0.1:{port}")]);
        var app = builder.Build();
        app.MapPost("/v1/shipments/handshake", context => fakes[context.Connection.LocalPort].GreetAsync(context));
        app.MapPost("/v1/shipments", context => fakes[context.Connection.LocalPort].TakeAsync(context));
        await app.StartAsync();
        return new FakeFollowers(app, fakes);
    }

    private IEnumerable<(string Name, Uri Url)> Of(bool isSilent) =>
        _fakes
            .Where(fake => fake.Value.IsSilent == isSilent)
            .Select(fake => ($"f{fake.Key}", new Uri($"http://127.0.0.1:{fake.Key}")));

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(0);
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
    }

    private sealed class Fake(bool isSilent)
    {
        private readonly Lock _gate = new();
        private readonly long[] _applied = new long[16];
        private readonly SetDigest[] _sets = [.. Enumerable.Range(0, 16).Select(_ => new SetDigest())];
        private volatile bool _isAsked;
        private volatile bool _isGreeted;

        public bool IsSilent => isSilent;

        public bool IsAsked => _isAsked;

        public ConcurrentDictionary<string, DateTime> At { get; } = new();

        public bool IsGreeted => _isGreeted;

        public async Task GreetAsync(HttpContext context)
        {
            var greeting = (await JsonNode.ParseAsync(context.Request.Body))!;
            _isAsked = true;
            await StandStillAsync(context);
            lock (_gate)
            {
                var bins = Enumerable.Range(0, 16).Select(PositionOf);
                greeting = new JsonObject
                {
                    ["cluster"] = $"f{context.Connection.LocalPort}",
                    ["epoch"] = greeting["epoch"]!.GetValue<string>(),
                    ["bins"] = new JsonArray([.. bins]),
                };
            }

            _isGreeted = true;
            await context.Response.WriteAsJsonAsync(greeting);
        }

        public async Task TakeAsync(HttpContext context)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var length = BinaryPrimitives.ReadInt32LittleEndian(body.GetBuffer());
            var page = JsonNode.Parse(body.GetBuffer().AsSpan(4, length))!["page"]!;
            var bin = page["bin"]!.GetValue<int>();
            JsonObject position;
            lock (_gate)
            {
                foreach (var key in page["mutations"]!.AsArray().Select(mutation => mutation!["key"]!.GetValue<string>()))
                {
                    At[key] = DateTime.UtcNow;
                    FileKey.TryParse(key, out var parsed).ShouldBeTrue();
                    _sets[bin].Add(parsed);
                }

                _applied[bin] = page["topmost"]!.GetValue<long>();
                position = PositionOf(bin);
            }

            await context.Response.WriteAsJsonAsync(position);
        }

        private JsonObject PositionOf(int bin) =>
            new()
            {
                ["bin"] = bin,
                ["applied"] = _applied[bin],
                ["digest"] = _sets[bin].ToHash().ToString(),
                ["comparing"] = false,
            };

        private async Task StandStillAsync(HttpContext context)
        {
            if (isSilent)
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }
        }
    }
}
