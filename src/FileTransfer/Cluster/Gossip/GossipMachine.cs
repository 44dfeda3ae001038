using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Gossip;

/// <summary>Who is there: what nodes tell each other about nodes, and whom they suspect.</summary>
/// <remarks>
/// <para>A state machine without I/O and without a clock: events in, actions out. Whoever drives it reports everything that happens, with
/// the time, carries out every action, and reports a <see cref="GossipEvent.Tick"/> every <see cref="GossipLimits.Interval"/>. Not for
/// several threads at once.</para>
/// <para>Only trusted peers are in the table that is passed on, and only they are listened to. What is known of a peer grows one way:
/// generation, then version of its announcement; and how it fares (<see cref="PeerLife"/>) comes to the same however it is put together. So all
/// come to know the same, in whichever order they hear of it.</para>
/// </remarks>
public sealed partial class GossipMachine
{
    private readonly PeerTable _table = new();
    private readonly GossipLimits _limits;
    private readonly Func<SignedAnnouncement, TrustStanding> _judge;
    private readonly Random _random;
    private readonly PeerName _self;
    private readonly int _here;
    private readonly LeastRecent<PeerName, UntrustedPeer> _untrusted;
    private readonly LeastRecent<PeerName, SignedAnnouncement> _forgotten;
    private readonly LeastRecent<PeerName, HeardPeer> _heard;
    private readonly LeastRecent<PeerName, string> _failures;
    private readonly uint[] _buckets = new uint[GossipDigest.Buckets];
    private IReadOnlyList<Uri> _seeds = [];
    private List<GossipAction> _actions = [];
    private UInt128 _digest;
    private int _suspects;

    /// <param name="self">What this node says of itself.</param>
    /// <param name="limits">How much is asked and kept.</param>
    /// <param name="judge">Whether an announcement's key is trusted under its name; without I/O.</param>
    /// <param name="random">Whom a round goes to.</param>
    public GossipMachine(
        SignedAnnouncement self,
        GossipLimits limits,
        Func<SignedAnnouncement, TrustStanding> judge,
        Random random
    )
    {
        (_self, _limits, _judge, _random) = (self.Name, limits, judge, random);
        _untrusted = new(limits.Untrusted);
        _forgotten = new(limits.Forgotten);
        _heard = new(limits.PhiPeers);
        _failures = new(limits.PhiPeers);
        _here = _table.Add(self);
        _knownThere.Length = _table.Places;
        CountIn(_here);
        Tell(_here, isUrgent: true);
    }

    /// <summary>What this node says of itself.</summary>
    public SignedAnnouncement Self => _table[_here].Words;

    /// <summary>Trusted peers, this node not among them.</summary>
    public int Count => _table.Count - 1;

    /// <summary>Those of them that are suspected or dead.</summary>
    public int Absent => _suspects;

    /// <summary>Tells what happened and returns what to do about it, in this order.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="now">The time since any fixed moment; it never goes back, and goes on while this process is stopped.</param>
    public IReadOnlyList<GossipAction> Handle(GossipEvent happened, TimeSpan now)
    {
        Advance(now);
        switch (happened)
        {
            case GossipEvent.Tick tick:
                EndSuspicions();
                Expire(tick.Clock);
                Sweep();
                Contact();
                break;
            case GossipEvent.Requested requested:
                Requested(requested);
                break;
            case GossipEvent.Answered answered:
                Answered(answered);
                break;
            case GossipEvent.Failed failed:
                Failed(failed);
                break;
            case GossipEvent.Announced announced:
                Announced(announced.Words);
                break;
            case GossipEvent.TrustChanged changed:
                TrustChanged(changed.Name);
                break;
            case GossipEvent.SeedsChanged changed:
                _seeds = changed.Seeds;
                break;
        }

        if (_actions.Count == 0)
        {
            return [];
        }

        var actions = _actions;
        _actions = [];
        return actions;
    }

    /// <summary>The newest announcement of a peer, trusted or not, or of this node.</summary>
    public SignedAnnouncement? Find(PeerName name)
    {
        var place = PlaceOf(name);
        return place < 0 ? _untrusted.Find(name)?.Words : _table[place].Words;
    }

    /// <summary>What this node holds of a trusted peer; null where it is none.</summary>
    public PeerStatus? StatusOf(PeerName name)
    {
        var place = PlaceOf(name);
        return place < 0 ? null : _table[place].Status;
    }

    /// <summary>A trusted peer; null where it is none.</summary>
    public PeerView? ViewOf(PeerName name)
    {
        var place = PlaceOf(name);
        return place < 0 ? null : ViewOf(place);
    }

    /// <summary>All peers, trusted or not.</summary>
    public IEnumerable<PeerView> Peers() =>
        _table.All().Where(place => place != _here).Select(ViewOf).Concat(_untrusted.Values.Select(peer => peer.ToView()));

    /// <summary>Equal at two nodes that know the same.</summary>
    internal UInt128 Digest => _digest;

    /// <summary>Takes in that these peers are there and have answered, as after a long time with them.</summary>
    internal void Know(IReadOnlyCollection<SignedAnnouncement> peers)
    {
        _table.EnsureCapacity(peers.Count);
        _order.EnsureCapacity(peers.Count);
        foreach (var words in peers)
        {
            var place = words.Name == _self ? _here : Add(words);
            SetLife(place, _table[place].Life.With(PeerMarks.Answered));
            StopTelling(ref _table[place]);
        }

        _news.Clear();
        _actions.Clear();
    }

    private void Emit(GossipAction action) => _actions.Add(action);

    private int PlaceOf(PeerName name) => _table.Find(GossipDigest.IdOf(name), name);

    private void Refuse(AnnouncementRefusal reason) => Emit(new GossipAction.Refused(reason));
}
