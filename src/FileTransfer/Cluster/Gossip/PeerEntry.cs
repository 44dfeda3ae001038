namespace FileTransfer.Cluster.Gossip;

/// <summary>A trusted peer in a <see cref="PeerTable"/>.</summary>
/// <remarks>Small, because the simulation has a hundred million of them.</remarks>
internal struct PeerEntry
{
    private int _life;

    public SignedAnnouncement Words;

    /// <summary>When its status began, in tenths of a second.</summary>
    public int Tenths;

    /// <summary>The next one of the chain.</summary>
    public int Next;

    /// <summary>How often it is still passed on unasked.</summary>
    public byte Tellings;

    /// <summary>What is passed on is more than an announcement made anew.</summary>
    public bool IsUrgent;

    /// <summary>The suspicion was not refuted in time.</summary>
    public bool IsDead;

    /// <summary>It has been dead for so long that it is not passed on.</summary>
    public bool IsSilent;

    public PeerLife Life
    {
        readonly get => new(_life >> 2, (PeerMarks)(_life & 3));
        set => _life = (value.Refutations << 2) | (int)value.Marks;
    }

    public TimeSpan Since
    {
        readonly get => TimeSpan.FromMilliseconds(100L * Tenths);
        set => Tenths = (int)(value.TotalMilliseconds / 100);
    }

    public readonly PeerStatus Status =>
        !Life.HasAnswered ? PeerStatus.Unknown
        : !Life.IsSuspected ? PeerStatus.Alive
        : IsDead ? PeerStatus.Dead
        : PeerStatus.Suspect;

    public readonly Mention Mention => Mention.Of(Words, Life);

    public readonly UInt128 Digest => GossipDigest.Of(Words, Life);
}
