using FileTransfer.Cluster.Gossip;

namespace FileTransfer.Cli.Simulation;

/// <summary>A simulated node: the machine of this program, and whether it runs.</summary>
internal sealed class GossipNode
{
    private readonly GossipNetwork _network;
    private readonly List<GossipEvent> _waiting = [];
    private GossipMachine _machine;

    public GossipNode(GossipNetwork network, PeerName name)
    {
        _network = network;
        Name = name;
        Words = Announce(1_764_400_000_000, 1);
        _machine = Begin();
    }

    public PeerName Name { get; }

    public SignedAnnouncement Words { get; private set; }

    public GossipMachine Machine => _machine;

    /// <summary>Its process runs. One that does not refuses connections.</summary>
    public bool IsUp { get; private set; } = true;

    /// <summary>Its process is stopped: what comes waits.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Nodes reach only those on their side.</summary>
    public int Side { get; set; }

    public long MessagesSent { get; set; }

    public long BytesSent { get; set; }

    /// <summary>Of the run of its process.</summary>
    public int Run { get; private set; }

    /// <summary>When that began.</summary>
    public TimeSpan Begun { get; private set; }

    public void Tell(GossipEvent happened)
    {
        if (IsStopped)
        {
            _waiting.Add(happened);
        }
        else if (IsUp)
        {
            _network.Carry(this, _machine.Handle(happened, _network.Time.Now));
        }
    }

    /// <summary>Says something new of itself.</summary>
    public void Change(bool isRenewal = false)
    {
        var (content, version) = (Words.Content, Words.Content.Version + 1);
        Words = Announce(content.Generation, version, isRenewal ? content.Buckets : [.. content.Buckets, $"{version:x64}"]);
        Tell(new GossipEvent.Announced(Words));
    }

    public void Kill() => IsUp = false;

    /// <summary>Begins a new run of its process, which knows nobody but its seeds.</summary>
    public void Restart(long? generation = null)
    {
        Run++;
        Begun = _network.Time.Now;
        IsUp = true;
        Words = Announce(generation ?? Words.Content.Generation + 1, 1);
        _machine = Begin();
        Tell(new GossipEvent.SeedsChanged(_network.Seeds));
        Ticking();
    }

    public void Stop() => IsStopped = true;

    public void Continue()
    {
        IsStopped = false;
        foreach (var happened in _waiting)
        {
            Tell(happened);
        }

        _waiting.Clear();
    }

    public void Ticking()
    {
        var run = Run;
        _network.Time.After(_network.Limits.Interval * _network.Random.NextDouble(), Tick);

        void Tick()
        {
            if (run == Run && IsUp)
            {
                if (!IsStopped)
                {
                    Tell(new GossipEvent.Tick(DateTimeOffset.UnixEpoch + _network.Time.Now));
                }

                _network.Time.After(_network.Limits.Interval, Tick);
            }
        }
    }

    private GossipMachine Begin() => new(Words, _network.Limits, _network.Judge, new Random(_network.Random.Next()));

    private SignedAnnouncement Announce(long generation, long version, IReadOnlyList<string>? buckets = null) =>
        new(
            new Announcement(
                Name,
                generation,
                version,
                [GossipNetwork.UrlOf(Name)],
                "Auto",
                Leads: false,
                FeedEpoch: null,
                buckets ?? [],
                [_network.Key],
                Rotation: null,
                IssuedAt: DateTimeOffset.UnixEpoch,
                ExpiresAt: DateTimeOffset.MaxValue
            ),
            GossipNetwork.Text
        );
}
