namespace FileTransfer.Cluster.Gossip;

/// <summary>A trusted peer in a <see cref="PeerTable"/>.</summary>
/// <remarks>Small, four to a line of the processor's cache, because the simulation has a hundred million of them.</remarks>
internal struct PeerEntry
{
    private ushort _life;
    private Traits _traits;
    private int _tenths;

    public SignedAnnouncement Words;

    /// <summary>How often it has its turn among the news; the last time it is not passed on any more. 0 where it is none.</summary>
    public byte Tellings;

    /// <summary>What is passed on is more than an announcement made anew.</summary>
    public bool IsUrgent
    {
        readonly get => Has(Traits.Urgent);
        set => Set(Traits.Urgent, value);
    }

    /// <summary>The suspicion was not refuted in time.</summary>
    public bool IsDead
    {
        readonly get => Has(Traits.Dead);
        set => Set(Traits.Dead, value);
    }

    /// <summary>Its announcement has run out.</summary>
    public bool IsExpired
    {
        readonly get => Has(Traits.Expired);
        set => Set(Traits.Expired, value);
    }

    /// <summary>It is not passed on: its announcement has run out, or it has been dead for long, which this says.</summary>
    public bool IsSilent
    {
        readonly get => Has(Traits.Silent | Traits.Expired);
        set => Set(Traits.Silent, value);
    }

    public PeerLife Life
    {
        readonly get => new(_life >> 2, (PeerMarks)(_life & 3));
        set => _life = (ushort)((value.Refutations << 2) | (int)value.Marks);
    }

    /// <summary>When its status began, to a tenth of a second.</summary>
    public TimeSpan Since
    {
        readonly get => TimeSpan.FromMilliseconds(100L * _tenths);
        set => _tenths = (int)(value.Ticks / (TimeSpan.TicksPerSecond / 10));
    }

    public readonly PeerStatus Status =>
        IsExpired && !IsDead ? PeerStatus.Expired
        : !Life.HasAnswered ? PeerStatus.Unknown
        : !Life.IsSuspected ? PeerStatus.Alive
        : IsDead ? PeerStatus.Dead
        : PeerStatus.Suspect;

    public readonly Mention Mention => new(Words.Edition, Life);

    public readonly UInt128 Digest => GossipDigest.Of(Words, Life);

    private readonly bool Has(Traits trait) => (_traits & trait) != Traits.None;

    private void Set(Traits trait, bool isSet) => _traits = isSet ? _traits | trait : _traits & ~trait;

    [Flags]
    private enum Traits : byte
    {
        None = 0,
        Urgent = 1,
        Dead = 2,
        Silent = 4,
        Expired = 8,
    }
}
