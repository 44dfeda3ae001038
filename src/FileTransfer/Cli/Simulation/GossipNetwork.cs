using System.Security.Cryptography;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Cluster.Trust;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Cli.Simulation;

/// <summary>Carries what the machines of simulated nodes ask for, in virtual time.</summary>
internal sealed partial class GossipNetwork
{
    /// <summary>As long as the signed words of a node with one URL and one bucket are.</summary>
    public static readonly string Text = new('x', 800);

    private readonly Dictionary<PeerName, GossipNode> _nodeOf = [];
    private readonly Dictionary<Uri, GossipNode> _nodeAt = [];
    private readonly Dictionary<long, Exchange> _pending = [];
    private long _last;

    public GossipNetwork(GossipWorld world, GossipLimits limits)
    {
        World = world;
        Limits = limits;
        Random = new Random(world.Seed);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Key = PublicKey.Of(key);
        Nodes =
        [
            .. Enumerable
                .Range(0, world.Nodes)
                .Select(i => new GossipNode(this, new PeerName($"c{i / 10}", new NodeId($"node-{i}")))),
        ];
        foreach (var node in Nodes)
        {
            _nodeOf.Add(node.Name, node);
            _nodeAt.Add(UrlOf(node.Name), node);
            node.Ticking();
        }
    }

    public GossipWorld World { get; }

    public GossipLimits Limits { get; }

    public VirtualTime Time { get; } = new();

    public Random Random { get; }

    public PublicKey Key { get; }

    public GossipNode[] Nodes { get; }

    public IReadOnlyList<Uri> Seeds { get; private set; } = [];

    public Func<SignedAnnouncement, TrustStanding> Judge { get; set; } = _ => TrustStanding.Trusted;

    /// <summary>Hears what machines say of peers.</summary>
    public Action<GossipNode, GossipAction> Said { get; set; } = (_, _) => { };

    public CancellationToken CancellationToken { get; init; }

    public GossipNode NodeOf(PeerName name) => _nodeOf[name];

    public IEnumerable<GossipNode> Up => Nodes.Where(node => node.IsUp);

    public static Uri UrlOf(PeerName name) => new($"http://{name.Node}.{name.Cluster}:7070/");

    /// <summary>Tells all nodes of seeds.</summary>
    public void Seed(params ReadOnlySpan<GossipNode> seeds)
    {
        Seeds = [.. seeds.ToArray().Select(node => UrlOf(node.Name))];
        foreach (var node in Nodes)
        {
            node.Tell(new GossipEvent.SeedsChanged(Seeds));
        }
    }

    /// <summary>Lets everybody know everybody, as after a long time.</summary>
    public void Acquaint()
    {
        var all = Nodes.Select(node => node.Words).ToList();
        foreach (var node in Nodes)
        {
            node.Machine.Know(all);
        }
    }

    /// <summary>Until a fact holds, which is looked at once an interval; null where it does not in that time.</summary>
    public TimeSpan? Until(Func<bool> fact, TimeSpan longest)
    {
        var begun = Time.Now;
        while (!fact())
        {
            if (Time.Now - begun >= longest)
            {
                return null;
            }

            Pass(Limits.Interval);
        }

        return Time.Now - begun;
    }

    public void Pass(TimeSpan time)
    {
        var (ends, hasEnded) = (Time.Now + time, false);
        Time.At(ends, () => hasEnded = true);
        while (!hasEnded)
        {
            CancellationToken.ThrowIfCancellationRequested();
            Time.Step();
        }
    }

    public void Carry(GossipNode from, IReadOnlyList<GossipAction> actions)
    {
        foreach (var action in actions)
        {
            switch (action)
            {
                case GossipAction.Ask ask:
                    Carry(from, ask);
                    break;
                case GossipAction.Answer answer when _pending.Remove(answer.Request, out var pending):
                    Carry(from, pending, answer.News);
                    break;
                default:
                    Said(from, action);
                    break;
            }
        }
    }

    private void Carry(GossipNode from, GossipAction.Ask ask)
    {
        Sent(from, ask.News.Size + GossipWorld.RequestHead);
        var exchange = new Exchange(from, ask.Exchange, Time.Now + ask.Patience);
        var to = ask.To is { } name ? _nodeOf.GetValueOrDefault(name) : _nodeAt.GetValueOrDefault(ask.Urls[0]);
        if (to is null || IsLost(from, to))
        {
            TimeOut(exchange);
            return;
        }

        Time.After(
            Delay(),
            () =>
            {
                if (!to.IsUp)
                {
                    Time.After(Delay(), () => exchange.Fail("connection refused"));
                    return;
                }

                if (to.IsStopped || ask.News.Probe is not null)
                {
                    TimeOut(exchange);
                }

                _pending.Add(++_last, exchange);
                to.Tell(new GossipEvent.Requested(_last, from.Name, IsTrusted(from), ask.News));
            }
        );
    }

    private void Carry(GossipNode from, Exchange exchange, GossipNews news)
    {
        Sent(from, news.Size + GossipWorld.AnswerHead);
        if (IsLost(from, exchange.From))
        {
            TimeOut(exchange);
            return;
        }

        Time.After(Delay(), () => exchange.End(new GossipEvent.Answered(exchange.Number, from.Name, IsTrusted(from), news)));
    }

    /// <summary>Where an answer is certain to come, nobody need wait for the end of patience.</summary>
    private void TimeOut(Exchange exchange) => Time.At(exchange.Ends, () => exchange.Fail("no answer in time"));

    private bool IsTrusted(GossipNode node) => Judge(node.Words) == TrustStanding.Trusted;

    private bool IsLost(GossipNode from, GossipNode to) => from.Side != to.Side || Random.NextDouble() < World.Loss;

    private TimeSpan Delay() => World.Latency * (0.5 + Random.NextDouble());

    private static void Sent(GossipNode from, int bytes)
    {
        from.MessagesSent++;
        from.BytesSent += bytes;
    }

    private sealed class Exchange(GossipNode from, long number, TimeSpan ends)
    {
        private readonly int _run = from.Run;
        private bool _hasEnded;

        public GossipNode From => from;

        public long Number => number;

        public TimeSpan Ends => ends;

        public void Fail(string reason) => End(new GossipEvent.Failed(number, reason));

        public void End(GossipEvent end)
        {
            if (!_hasEnded && from.Run == _run)
            {
                from.Tell(end);
            }

            _hasEnded = true;
        }
    }
}
