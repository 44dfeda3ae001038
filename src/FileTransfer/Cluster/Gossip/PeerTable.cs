using System.Numerics;

namespace FileTransfer.Cluster.Gossip;

/// <summary>The trusted peers, this node among them, by their names; a chain for each part of a bucket.</summary>
internal sealed class PeerTable
{
    private const int None = -1;

    private PeerEntry[] _entries = new PeerEntry[4];
    private int[] _chains = NewChains(GossipDigest.Buckets);
    private int _free = None;
    private int _used;

    public int Count { get; private set; }

    public ref PeerEntry this[int place] => ref _entries[place];

    /// <summary>The place of a peer; negative where it is not here.</summary>
    public int Find(ulong id, PeerName name)
    {
        var place = _chains[ChainOf(id)];
        while (place >= 0 && !(_entries[place].Words.Id == id && _entries[place].Words.Name == name))
        {
            place = _entries[place].Next;
        }

        return place;
    }

    public int Add(SignedAnnouncement words)
    {
        if (Count == _chains.Length)
        {
            Grow(2 * Count);
        }

        var place = _free >= 0 ? _free : _used++;
        _free = _free >= 0 ? _entries[_free].Next : None;
        if (place == _entries.Length)
        {
            Array.Resize(ref _entries, 2 * place);
        }

        _entries[place] = new PeerEntry { Words = words };
        Link(place);
        Count++;
        return place;
    }

    public void Remove(int place)
    {
        ref var link = ref _chains[ChainOf(_entries[place].Words.Id)];
        while (link != place)
        {
            link = ref _entries[link].Next;
        }

        link = _entries[place].Next;
        _entries[place] = new PeerEntry { Next = _free };
        _free = place;
        Count--;
    }

    /// <summary>Takes care that so many have a place.</summary>
    public void EnsureCapacity(int peers)
    {
        if (peers > _entries.Length)
        {
            Array.Resize(ref _entries, peers);
        }

        if (peers > _chains.Length)
        {
            Grow((int)BitOperations.RoundUpToPowerOf2((uint)peers));
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
            for (var place = _chains[chain]; place >= 0; place = _entries[place].Next)
            {
                yield return place;
            }
        }
    }

    public bool IsTaken(int place) => _entries[place].Words is not null;

    private int ChainOf(ulong id) => (int)(id & (ulong)(_chains.Length - 1));

    private void Link(int place)
    {
        ref var chain = ref _chains[ChainOf(_entries[place].Words.Id)];
        _entries[place].Next = chain;
        chain = place;
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
