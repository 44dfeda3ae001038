namespace FileTransfer.Cluster.Gossip;

/// <summary>How a peer fares in one generation, as nodes tell each other. Whichever way it is put together from what they tell, it comes to the same.</summary>
/// <param name="Refutations">How often it has refuted a suspicion; with the next number, which it alone gives out, a suspicion ends.</param>
internal readonly record struct PeerLife(int Refutations, PeerMarks Marks)
{
    /// <summary>In one generation; who has to refute more goes on with the next one.</summary>
    public const int MostRefutations = (1 << 14) - 1;

    public bool HasAnswered => (Marks & PeerMarks.Answered) != PeerMarks.None;

    public bool IsSuspected => (Marks & PeerMarks.Suspected) != PeerMarks.None;

    /// <summary>What both say of the same generation.</summary>
    public PeerLife With(PeerLife other)
    {
        var answered = (Marks | other.Marks) & PeerMarks.Answered;
        var newest = Math.Max(Refutations, other.Refutations);
        var suspected =
            (Refutations == newest ? Marks & PeerMarks.Suspected : PeerMarks.None)
            | (other.Refutations == newest ? other.Marks & PeerMarks.Suspected : PeerMarks.None);
        return new PeerLife(newest, answered | suspected);
    }

    public PeerLife With(PeerMarks mark) => this with { Marks = Marks | mark };

    public PeerLife Refuted() => new(Refutations + 1, Marks & PeerMarks.Answered);
}
