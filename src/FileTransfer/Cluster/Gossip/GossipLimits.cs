namespace FileTransfer.Cluster.Gossip;

/// <summary>How much is asked and kept, and how long is waited.</summary>
public sealed record GossipLimits
{
    public static GossipLimits Default { get; } = new();

    /// <summary>From one round to the next.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Live peers that a round goes to while there is something to tell.</summary>
    public int Peers { get; init; } = 3;

    /// <summary>Live peers that a round goes to while there is nothing to tell but announcements that were made anew.</summary>
    public int QuietPeers { get; init; } = 1;

    /// <summary>Others through which a peer is tried that did not answer.</summary>
    public int Helpers { get; init; } = 3;

    /// <summary>How long an answer is waited for. A helper is waited for three times as long.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a suspicion can be refuted, for each decimal digit of the number of peers, of which it has at least one.</summary>
    public TimeSpan Suspicion { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Phi from which on a peer is asked first.</summary>
    public double Phi { get; init; } = 8;

    /// <summary>Intervals between words of a peer that its phi is made of.</summary>
    public int PhiWindow { get; init; } = 1000;

    /// <summary>Peers that phi is kept of: those that this node heard last.</summary>
    public int PhiPeers { get; init; } = 128;

    /// <summary>When a dead peer is forgotten. From half of this on it is not passed on any more.</summary>
    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Forgotten peers whose last announcement is remembered, so that it cannot bring them back.</summary>
    public int Forgotten { get; init; } = 16_384;

    /// <summary>Announcements of peers that are not trusted; the oldest gives way.</summary>
    public int Untrusted { get; init; } = 1024;

    /// <summary>Up to so many peers are compared one by one, more by their buckets.</summary>
    public int ComparedOneByOne { get; init; } = 64;

    /// <summary>Requests that one exchange makes after its first, at most; what is left comes with the next exchange.</summary>
    public int FurtherRequests { get; init; } = 3;
}
