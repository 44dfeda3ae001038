using System.Collections.Concurrent;
using System.Net;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>Two clusters of two nodes each, one pulling from the other through links, and what goes wrong.</summary>
internal sealed class TroubledLink : IAsyncDisposable
{
    private readonly TwoClusters _clusters = new();
    private readonly ConcurrentDictionary<string, NodeProcess> _nodes = new();
    private readonly ConcurrentQueue<(string? Node, DateTime From, DateTime Until)> _troubles = new();

    public TestCluster Up { get; private set; } = null!;

    public TestCluster Down { get; private set; } = null!;

    public List<ContentLink> Links { get; } = [];

    /// <summary>Kills and cuts.</summary>
    public int Troubles => _troubles.Count;

    public IEnumerable<NodeProcess> Ups => _nodes.Values.Where(node => node.Id[0] == 'u').ToList();

    public IEnumerable<NodeProcess> Downs => _nodes.Values.Where(node => node.Id[0] == 'd').ToList();

    public static async Task<TroubledLink> StartAsync()
    {
        var scene = new TroubledLink();
        scene.Links.Add(await ContentLink.StartAsync());
        scene.Links.Add(await ContentLink.StartAsync());
        scene.Up = await scene._clusters.CreateAsync();
        scene.Down = await scene._clusters.CreateAsync();
        foreach (var id in (string[])["u0", "u1", "d0", "d1"])
        {
            await scene.StartAsync(id);
        }

        return scene;
    }

    /// <summary>What went through the links, and from which node.</summary>
    public IEnumerable<(SentContent Content, string From)> Sent() =>
        Links.SelectMany((link, i) => link.Sent.Select(sent => (sent, $"u{i}")));

    /// <summary>Whether a kill of one of both nodes, or a cut, came soon after a content was sent.</summary>
    public bool WasUnderWay(SentContent content, string from, TimeSpan within) =>
        _troubles.Any(trouble =>
            (trouble.Node is null || trouble.Node == content.To || trouble.Node == from)
            && trouble.Until >= content.At
            && trouble.From - content.At < within
        );

    /// <summary>What went wrong not long before or after, to find out why.</summary>
    public string TroublesAround(DateTime at) =>
        string.Join(
            ", ",
            _troubles
                .Where(trouble => (trouble.From - at).Duration() < TimeSpan.FromSeconds(30))
                .Select(trouble => $"{trouble.Node ?? "cut"} {trouble.From:mm:ss.fff}-{trouble.Until:mm:ss.fff}")
        );

    public string LogOf(string node, string key) =>
        string.Join(" | ", _nodes[node].Log.Split('\n').Where(line => line.Contains(key, StringComparison.Ordinal)));

    /// <summary>Something goes wrong, again and again, until it is enough.</summary>
    public async Task TroubleAsync(Random random, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            var time = TimeSpan.FromMilliseconds(random.Next(200, 2500));
            var began = DateTime.UtcNow;
            switch (random.Next(4))
            {
                case 0:
                    Links.ForEach(link => link.Cut());
                    _troubles.Enqueue((null, began, DateTime.UtcNow));
                    await PassAsync(time, enough);
                    Links.ForEach(link => link.Mend());
                    break;
                case 1:
                    Links.ForEach(link => link.Delay = TimeSpan.FromMilliseconds(30));
                    await PassAsync(time, enough);
                    Links.ForEach(link => link.Delay = TimeSpan.Zero);
                    break;
                default:
                    var id = _nodes.Keys.Order(StringComparer.Ordinal).ElementAt(random.Next(_nodes.Count));
                    await _nodes[id].KillAsync();
                    _troubles.Enqueue((id, began, DateTime.UtcNow));
                    await StartAsync(id);
                    break;
            }

            await PassAsync(time, enough);
        }
    }

    /// <summary>The leader that pulls says that it has all, contents too.</summary>
    public Task InStepAsync() =>
        Eventually.HoldsAsync(
            async () =>
            {
                foreach (var down in Downs)
                {
                    using var answer = await down.Http.GetAsync("/v1/sync/status");
                    if (answer.StatusCode == HttpStatusCode.OK)
                    {
                        var up = await down.UpstreamAsync("up");
                        return up.GetProperty("inStep").GetBoolean() && up.GetProperty("lacking").GetInt32() == 0;
                    }
                }

                return false;
            },
            "the clusters are in step",
            TimeSpan.FromMinutes(5)
        );

    public async Task<(int Code, string Out)> VerifyAsync(NodeProcess down)
    {
        var leader = await Ups.First().GetJsonAsync("/v1/leader");
        var up = Ups.Single(node => node.Id == leader.GetProperty("node").GetString());
        return await TestedProgram.RunAsync("verify", up.Url.ToString(), down.Url.ToString());
    }

    public async Task HasNoGapAsync()
    {
        foreach (var cluster in new[] { Up, Down })
        {
            (
                await cluster.Database.ScalarAsync<long>(
                    """
                    SELECT count(*) FROM filetransfer.bins b
                    WHERE b.head <> (SELECT count(*) FROM filetransfer.mutations m WHERE m.bin = b.bin)
                        OR b.head <> coalesce((SELECT max(m.sequence) FROM filetransfer.mutations m WHERE m.bin = b.bin), 0)
                    """
                )
            ).ShouldBe(0, "every bin has all of its sequences");
        }

        foreach (var node in _nodes.Values)
        {
            node.Log.ShouldNotContain("of the feed has a gap");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _clusters.DisposeAsync();
        foreach (var link in Links)
        {
            await link.DisposeAsync();
        }
    }

    private static async Task PassAsync(TimeSpan time, CancellationToken enough) =>
        await Task.Delay(time, enough).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task StartAsync(string id)
    {
        var isUp = id[0] == 'u';
        (string, string)[] settings = isUp
            ? [("FileTransfer__ClusterId", "up"), ("FileTransfer__AdvertisedUrl", $"{LinkOf(id).Address}")]
            :
            [
                ("FileTransfer__ClusterId", "down"),
                ("FileTransfer__Sync__Upstreams__0__Name", "up"),
                ("FileTransfer__Sync__Upstreams__0__Url", string.Join(' ', Links.Select(link => link.Address))),
            ];
        var node = await (isUp ? Up : Down).StartAsync(id, settings);
        _nodes[id] = node;
        if (isUp)
        {
            LinkOf(id).LeadTo(node.Url);
        }
    }

    private ContentLink LinkOf(string id) => Links[id[1] - '0'];
}
