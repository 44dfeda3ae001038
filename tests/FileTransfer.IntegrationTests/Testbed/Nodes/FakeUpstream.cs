using System.Collections.Concurrent;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using FileTransfer.IntegrationTests.Testbed.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>What an upstream was asked for, and when.</summary>
internal sealed record AskedPage(int Bin, long From, long To, DateTime At);

/// <summary>An upstream that the test plays: it has a feed of files whose contents it does not have.</summary>
internal sealed class FakeUpstream : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly List<object>[] _bins = [.. Enumerable.Range(0, 16).Select(_ => new List<object>())];
    private readonly SetDigest[] _sets = [.. Enumerable.Range(0, 16).Select(_ => new SetDigest())];
    private TaskCompletionSource _news = new();

    private FakeUpstream(WebApplication server, Uri url) => (_server, Url) = (server, url);

    public Uri Url { get; }

    public Guid Epoch { get; } = Guid.NewGuid();

    /// <summary>Answers in place of a page; null = the page. What it throws away, the client sees as a cut connection.</summary>
    public Func<AskedPage, HttpContext, Task<object?>> Answer { get; set; } = (_, _) => Task.FromResult<object?>(null);

    /// <summary>Answers requests for contents; it has none by itself.</summary>
    public RequestDelegate Deliver { get; set; } = context => Results.NotFound().ExecuteAsync(context);

    /// <summary>The URLs of the nodes that it lists, by their names.</summary>
    public IReadOnlyDictionary<string, string> Nodes { get; set; } = new Dictionary<string, string>();

    public ConcurrentQueue<AskedPage> Asked { get; } = new();

    /// <summary>How often it was asked for cursors.</summary>
    public int AskedForCursors { get; private set; }

    public static async Task<FakeUpstream> StartAsync()
    {
        var url = new Uri($"http://127.0.0.1:{PortOfOwn.Next()}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(url.ToString());
        var app = builder.Build();
        var fake = new FakeUpstream(app, url);
        app.MapGet("/v1/sync/cursors", fake.CursorsAsync);
        app.MapGet("/v1/sync/bins/{bin}", fake.PageAsync);
        app.MapPost("/v1/sync/deliveries", context => fake.Deliver(context));
        app.MapGet(
            "/v1/nodes",
            () =>
                new
                {
                    cluster = "fake",
                    nodes = fake.Nodes.Select(node => new
                    {
                        node = node.Key,
                        url = node.Value,
                        alive = true,
                    }),
                }
        );
        await app.StartAsync();
        return fake;
    }

    public static int BinOf(PlainFile file) => Convert.ToInt32(file.Key[2..3], 16);

    /// <summary>A new file of a bin.</summary>
    public static PlainFile FileIn(int bin)
    {
        while (true)
        {
            if (PlainFile.Random(100) is var file && BinOf(file) == bin)
            {
                return file;
            }
        }
    }

    public void Add(PlainFile file) => Append("add", file, set => set.Add);

    public void Remove(PlainFile file) => Append("remove", file, set => set.Remove);

    public object PageOf(int bin, long from, long to)
    {
        lock (_bins)
        {
            var mutations = _bins[bin].Skip((int)from - 1).Take((int)Math.Min(250, to - from + 1)).ToList();
            return new
            {
                epoch = Epoch,
                bin,
                from,
                topmost = from - 1 + mutations.Count,
                mutations,
            };
        }
    }

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private void Append(string kind, PlainFile file, Func<SetDigest, Action<FileKey>> change)
    {
        lock (_bins)
        {
            var bin = BinOf(file);
            _bins[bin]
                .Add(
                    new
                    {
                        sequence = _bins[bin].Count + 1,
                        kind,
                        key = file.Key,
                        metadata = kind == "add" ? file.Metadata() : null,
                        origin = new
                        {
                            cluster = "fake",
                            epoch = Epoch,
                            bin,
                            sequence = _bins[bin].Count + 1,
                        },
                        appendedAt = DateTime.UnixEpoch,
                    }
                );
            change(_sets[bin])(FileKey.TryParse(file.Key, out var key) ? key : throw new FormatException(file.Key));
        }

        Interlocked.Exchange(ref _news, new TaskCompletionSource()).SetResult();
    }

    private async Task<IResult> PageAsync(int bin, long from, long to, HttpContext context)
    {
        var asked = new AskedPage(bin, from, to, DateTime.UtcNow);
        Asked.Enqueue(asked);
        return Results.Json(await Answer(asked, context) ?? PageOf(bin, from, to));
    }

    private async Task<IResult> CursorsAsync(string? after, string? wait, CancellationToken gone)
    {
        AskedForCursors++;
        var news = _news.Task;
        if (after == string.Join(',', _bins.Select(bin => bin.Count)))
        {
            await news.WaitAsync(TimeSpan.FromSeconds(int.Parse(wait![..^1])), gone)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        lock (_bins)
        {
            return Results.Json(
                new
                {
                    cluster = "fake",
                    epoch = Epoch,
                    bins = Enumerable
                        .Range(0, 16)
                        .Select(bin => new
                        {
                            bin,
                            cursor = _bins[bin].Count,
                            retainedFrom = 1,
                            digest = _sets[bin].ToHash().ToString(),
                        })
                        .ToList(),
                }
            );
        }
    }
}
