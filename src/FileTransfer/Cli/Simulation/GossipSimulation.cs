using FileTransfer.Cluster.Gossip;

namespace FileTransfer.Cli.Simulation;

/// <summary>What happens to simulated nodes, one thing after the other: nothing, changes, a death, a partition, churn.</summary>
internal sealed class GossipSimulation
{
    private const int Changes = 5;
    private const int Seeds = 3;

    /// <summary>Of an announcement, before it runs out.</summary>
    private static readonly TimeSpan _renewal = Announcement.Lifetime / 2;

    /// <summary>Phi says nothing of peers that are heard once an hour; it would take most of the memory.</summary>
    private static readonly GossipLimits _limits = GossipLimits.Default with { PhiPeers = 16 };

    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    private readonly GossipNetwork _network;
    private readonly HashSet<PeerName> _suspected = [];
    private bool _isWatching;
    private int _seenDead;

    public GossipSimulation(GossipWorld world, CancellationToken cancellationToken)
    {
        _network = new GossipNetwork(world, _limits) { CancellationToken = cancellationToken, Said = Watch };
        _network.Seed(_network.Nodes.AsSpan(0, Math.Min(Seeds, world.Nodes)));
        _network.Acquaint();
        foreach (var node in _network.Nodes)
        {
            var first = _renewal * _network.Random.NextDouble();
            _network.Time.After(first, () => node.Change(isRenewal: true));
        }
    }

    public GossipResult Run()
    {
        _network.Pass(_minute / 6);
        _isWatching = true;
        var (quietMessages, quietBytes) = SentIn(() => _network.Pass(_minute));
        var rounds = RoundsOf(Changes);
        _isWatching = false;
        var killed = Kill();
        Divide();
        TimeSpan? healed = null;
        var (_, healingBytes) = SentIn(() => healed = _network.Until(IsWhole, _patience));
        _isWatching = true;
        int? churnRounds = null;
        var churn = Churn();
        var (_, churnBytes) = SentIn(() => churnRounds = RoundsOf(Changes, _minute / Changes));
        churn.Cancel();
        var settled = _network.Until(IsWhole, _patience);
        return new GossipResult(
            _network.World,
            quietMessages,
            quietBytes,
            rounds,
            killed,
            healed,
            healingBytes * (healed ?? _patience).TotalSeconds,
            churnRounds,
            churnBytes,
            settled,
            _suspected.Count,
            _seenDead,
            _network.Time.Count
        );
    }

    /// <summary>Lets nodes say something new of themselves, one after the other.</summary>
    private int? RoundsOf(int changes, TimeSpan? every = null)
    {
        var most = (int?)0;
        for (var i = 0; i < changes; i++)
        {
            var begun = _network.Time.Now;
            var node = Any();
            node.Change();
            var time = _network.Until(() => !node.IsUp || _network.AllKnow(node, begun), _minute);
            most = time is null ? null : Math.Max(most ?? 0, (int)Math.Ceiling(time.Value / _network.Limits.Interval));
            _network.Pass((every ?? TimeSpan.Zero) - (_network.Time.Now - begun));
        }

        return most;
    }

    private TimeSpan? Kill()
    {
        var node = Any();
        node.Kill();
        var time = _network.Until(() => _network.AllSee(PeerStatus.Dead, node), _minute);
        node.Restart();
        _network.Until(IsWhole, _patience);
        return time;
    }

    /// <summary>Cuts the nodes into halves for a minute.</summary>
    private void Divide()
    {
        foreach (var node in _network.Nodes)
        {
            node.Side = _network.Random.Next(2);
        }

        _network.Pass(_minute);
        foreach (var node in _network.Nodes)
        {
            node.Side = 0;
        }
    }

    /// <summary>Kills nodes, which come back, until it is cancelled.</summary>
    private CancellationTokenSource Churn()
    {
        var ends = new CancellationTokenSource();
        if (_network.World.Churn > 0)
        {
            KillNext();
        }

        return ends;

        void KillNext() =>
            _network.Time.After(
                -Math.Log(1 - _network.Random.NextDouble()) * _minute / (_network.World.Churn * _network.Nodes.Length),
                () =>
                {
                    if (!ends.IsCancellationRequested)
                    {
                        var node = Any();
                        node.Kill();
                        _network.Time.After(_network.World.AwayFor, () => node.Restart());
                        KillNext();
                    }
                }
            );
    }

    /// <summary>All know the same, and of everybody that it is alive.</summary>
    private bool IsWhole() =>
        _network.Up.Count() == _network.Nodes.Length
        && _network.AllAgree()
        && _network.Nodes[0].Machine.Peers().All(peer => peer.Status == PeerStatus.Alive)
        && _network.Nodes[0].Machine.Count == _network.Nodes.Length - 1;

    private GossipNode Any()
    {
        while (true)
        {
            var node = _network.Nodes[_network.Random.Next(_network.Nodes.Length)];
            if (node.IsUp)
            {
                return node;
            }
        }
    }

    /// <summary>Messages and bytes that a node sent in a second.</summary>
    private (double Messages, double Bytes) SentIn(Action happens)
    {
        var (begun, messages, bytes) = (_network.Time.Now, Messages(), Bytes());
        happens();
        var seconds = (_network.Time.Now - begun).TotalSeconds * _network.Nodes.Length;
        return ((Messages() - messages) / seconds, (Bytes() - bytes) / seconds);

        long Messages() => _network.Nodes.Sum(node => node.MessagesSent);

        long Bytes() => _network.Nodes.Sum(node => node.BytesSent);
    }

    /// <summary>Counts those that are suspected and have done nothing.</summary>
    private void Watch(GossipNode node, GossipAction said)
    {
        if (
            _isWatching
            && said is GossipAction.Changed { Status: PeerStatus.Suspect or PeerStatus.Dead } changed
            && _network.NodeOf(changed.Words.Name) is { IsUp: true } wronged
            && wronged.Words.Content.Generation == changed.Words.Content.Generation
        )
        {
            _suspected.Add(wronged.Name);
            _seenDead += changed.Status == PeerStatus.Dead ? 1 : 0;
        }
    }
}
