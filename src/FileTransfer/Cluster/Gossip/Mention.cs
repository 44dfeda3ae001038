namespace FileTransfer.Cluster.Gossip;

/// <summary>What a node passes on of a peer without its announcement: which one it has, and how the peer fares.</summary>
internal readonly record struct Mention(AnnouncementEdition Edition, PeerLife Life)
{
    /// <summary>Null where the text is something else.</summary>
    public static Mention? FromText(string? text) =>
        text?.Split(' ') is [var name, var generation, var version, var refutations, var marks]
        && PeerName.FromText(name) is { } peer
        && NumberIn(generation) is { } run
        && NumberIn(version) is { } number
        && NumberIn(refutations) is { } refuted and <= PeerLife.MostRefutations
        && MarksIn(marks) is { } read
            ? new Mention(new AnnouncementEdition(peer, run, number), new PeerLife((int)refuted, read))
            : null;

    public override string ToString() => $"{Edition} {Life.Refutations} {TextOf(Life.Marks)}";

    /// <summary>Characters of the text.</summary>
    public int Length =>
        Edition.Length
        + " ".Length
        + DigitsOf(Life.Refutations)
        + " a".Length
        + (Life is { HasAnswered: true, IsSuspected: true } ? 1 : 0);

    public static int LengthOf(PeerName name) => name.Cluster.Length + "/".Length + name.Node.Value.Length;

    public static int DigitsOf(long number)
    {
        var digits = 1;
        for (; number >= 10; number /= 10)
        {
            digits++;
        }

        return digits;
    }

    private static long? NumberIn(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string TextOf(PeerMarks marks) =>
        marks switch
        {
            PeerMarks.None => "-",
            PeerMarks.Answered => "a",
            PeerMarks.Suspected => "s",
            _ => "as",
        };

    private static PeerMarks? MarksIn(string text) =>
        text switch
        {
            "-" => PeerMarks.None,
            "a" => PeerMarks.Answered,
            "s" => PeerMarks.Suspected,
            "as" => PeerMarks.Answered | PeerMarks.Suspected,
            _ => null,
        };
}
