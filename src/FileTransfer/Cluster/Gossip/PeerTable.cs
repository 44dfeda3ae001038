using System.Numerics;

namespace FileTransfer.Cluster.Gossip;

/// <summary>The trusted peers, this node among them, by their names; a chain for each part of a bucket.</summary>
internal sealed class PeerTable
{
    private const int None = -1;

    /// <summary>On average, before there are more chains.</summary>
    private const int MostInChain = 2;

    private PeerEntry[] _entries = new PeerEntry[4];
    private int[] _next = new int[4];
    private int[] _chains = NewChains(GossipDigest.Buckets);
    private int _free = None;
    private int _used;

    public int Count { get; private set; }

    /// <summary>All places are below this one; some may be free.</summary>
    public int Places => _used;

    public ref PeerEntry this[int place] => ref _entries[place];

    /// <summary>The place of a peer; negative where it is not here.</summary>
    public int Find(ulong id, PeerName name)
    {
        var place = _chains[ChainOf(id)];
        while (place >= 0 && !(_entries[place].Words.Edition.Id == id && _entries[place].Words.Name == name))
        {
            place = _next[place];
        }

        return place;
    }

    /// <summary>The place of the peer that something was announced of.</summary>
    public int Find(AnnouncementEdition edition) => Find(edition, _chains[ChainOf(edition.Id)]);

    /// <param name="place">The first of its chain.</param>
    private int Find(AnnouncementEdition edition, int place)
    {
        while (place >= 0 && !_entries[place].Words.Edition.HasNameOf(edition))
        {
            place = _next[place];
        }

        return place;
    }

    /// <summary>The place of each peer that is mentioned.</summary>
    public void Find(ReadOnlySpan<Mention> mentions, Span<int> places)
    {
        for (var i = 0; i < mentions.Length; i++)
        {
            places[i] = _chains[ChainOf(mentions[i].Edition.Id)];
        }

        for (var i = 0; i < mentions.Length; i++)
        {
            places[i] = Find(mentions[i].Edition, places[i]);
        }
    }

    public int Add(SignedAnnouncement words)
    {
        if (Count == MostInChain * _chains.Length)
        {
            Grow(2 * _chains.Length);
        }

        var place = _free >= 0 ? _free : _used++;
        _free = _free >= 0 ? _next[_free] : None;
        if (place == _entries.Length)
        {
            Resize(2 * place);
        }

        _entries[place] = new PeerEntry { Words = words };
        Link(place);
        Count++;
        return place;
    }

    public void Remove(int place)
    {
        ref var link = ref _chains[ChainOf(_entries[place].Words.Edition.Id)];
        while (link != place)
        {
            link = ref _next[link];
        }

        link = _next[place];
        _entries[place] = default;
        (_next[place], _free) = (_free, place);
        Count--;
    }

    /// <summary>Takes care that so many have a place.</summary>
    public void EnsureCapacity(int peers)
    {
        if (peers > _entries.Length)
        {
            Resize(peers);
        }

        if (peers > MostInChain * _chains.Length)
        {
            Grow((int)BitOperations.RoundUpToPowerOf2((uint)peers) / MostInChain);
        }
    }

    /// <summary>The places of all.</summary>
    public IEnumerable<int> All()
    {
        for (var place = 0; place < _used; place++)
        {
            if (IsTaken(place))
            {
                yield return place;
            }
        }
    }

    /// <summary>The places of those of one bucket.</summary>
    public IEnumerable<int> InBucket(int bucket)
    {
        for (var chain = bucket; chain < _chains.Length; chain += GossipDigest.Buckets)
        {
            for (var place = _chains[chain]; place >= 0; place = _next[place])
            {
                yield return place;
            }
        }
    }

    public bool IsTaken(int place) => _entries[place].Words is not null;

    private int ChainOf(ulong id) => (int)(id & (ulong)(_chains.Length - 1));

    private void Link(int place)
    {
        ref var chain = ref _chains[ChainOf(_entries[place].Words.Edition.Id)];
        (_next[place], chain) = (chain, place);
    }

    private void Resize(int places)
    {
        Array.Resize(ref _entries, places);
        Array.Resize(ref _next, places);
    }

    private void Grow(int chains)
    {
        _chains = NewChains(chains);
        foreach (var place in All())
        {
            Link(place);
        }
    }

    private static int[] NewChains(int count)
    {
        var chains = new int[count];
        Array.Fill(chains, None);
        return chains;
    }
}
