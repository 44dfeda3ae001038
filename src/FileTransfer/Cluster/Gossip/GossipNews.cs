namespace FileTransfer.Cluster.Gossip;

/// <summary>A <see cref="GossipMessage"/> whose words have been read, or one that is being written and knows how long it is.</summary>
public sealed partial class GossipNews
{
    private const int DigestLength = 22;
    private const int BucketsLength = ((GossipDigest.Buckets * 4) + 2) / 3 * 4;

    private List<Mention>? _peers;
    private List<SignedAnnouncement>? _announcements;
    private List<PeerName>? _wanted;
    private List<int>? _whole;
    private List<AnnouncementRefusal>? _refusals;
    private int _size = "{".Length;
    private int _expected;

    internal GossipNews() { }

    /// <summary>Bytes of the message.</summary>
    public int Size => Math.Max(_size, "{}".Length);

    /// <summary>What of it was not believed, and why.</summary>
    public IReadOnlyList<AnnouncementRefusal> Refusals => _refusals ?? [];

    internal UInt128? Digest { get; private set; }

    internal ReadOnlySpan<Mention> Peers => CollectionsMarshal.AsSpan(_peers);

    internal IReadOnlyList<SignedAnnouncement> Announcements => _announcements ?? [];

    internal IReadOnlyList<PeerName> Wanted => _wanted ?? [];

    internal uint[]? Buckets { get; private set; }

    internal IReadOnlyList<int> Whole => _whole ?? [];

    internal bool IsComplete { get; private set; }

    internal PeerName? Probe { get; private set; }

    internal bool? Reached { get; private set; }

    /// <summary>It says nothing but what it is compared by.</summary>
    internal bool IsQuiet => _peers is null && _announcements is null && _wanted is null && Buckets is null;

    /// <summary>About so many are going to be mentioned.</summary>
    internal void Expect(int peers)
    {
        _expected = peers;
        _peers?.EnsureCapacity(_peers.Count + peers);
    }

    internal bool TryAdd(Mention mention)
    {
        var fits = TryAdd("peers", mention.Length + "'',".Length, isFirst: _peers is null);
        if (fits)
        {
            (_peers ??= new List<Mention>(_expected)).Add(mention);
        }

        return fits;
    }

    internal bool TryAdd(SignedAnnouncement words)
    {
        var fits = TryAdd("announcements", words.Text.Length + "'',".Length, isFirst: _announcements is null);
        if (fits)
        {
            (_announcements ??= []).Add(words);
        }

        return fits;
    }

    internal bool TryWant(PeerName name)
    {
        var fits = TryAdd("wanted", Mention.LengthOf(name) + "'',".Length, isFirst: _wanted is null);
        if (fits)
        {
            (_wanted ??= []).Add(name);
        }

        return fits;
    }

    internal bool TryAddWhole(int bucket)
    {
        var fits = TryAdd("whole", Mention.DigitsOf(bucket) + ",".Length, isFirst: _whole is null);
        if (fits)
        {
            (_whole ??= []).Add(bucket);
        }

        return fits;
    }

    internal void AddDigest(UInt128 digest)
    {
        Digest = digest;
        Grow("digest", DigestLength + "''".Length);
    }

    internal void AddBuckets(uint[] digests)
    {
        Buckets = digests;
        Grow("buckets", BucketsLength + "''".Length);
    }

    internal void AddComplete()
    {
        IsComplete = true;
        Grow("complete", "true".Length);
    }

    internal void AddProbe(PeerName name)
    {
        Probe = name;
        Grow("probe", Mention.LengthOf(name) + "''".Length);
    }

    internal void AddReached(bool reached)
    {
        Reached = reached;
        Grow("reached", reached ? "true".Length : "false".Length);
    }

    /// <summary>Whether this much fits beside what is there.</summary>
    internal bool HasRoomFor(int bytes) => _size + bytes <= GossipMessage.Longest;

    private bool TryAdd(string list, int bytes, bool isFirst)
    {
        var more = bytes + (isFirst ? list.Length + "'':[],".Length - ",".Length : 0);
        var fits = HasRoomFor(more);
        _size += fits ? more : 0;
        return fits;
    }

    private void Grow(string name, int bytes) => _size += name.Length + "'':,".Length + bytes;
}
