namespace FileTransfer.Cluster.Gossip;

/// <summary>What an answer is waited for.</summary>
/// <param name="To">Who was asked; null for a seed.</param>
/// <param name="Requests">Which request of the exchange it is, from 0.</param>
/// <param name="About">The peer that is doubted: it was asked again, or a helper was asked about it.</param>
internal sealed record GossipExchange(PeerName? To, int Requests, PeerName? About = null)
{
    /// <summary>The request of another node that waits for what comes of this.</summary>
    public (long Request, GossipNews Answer)? Held { get; init; }

    /// <summary>The digest here, before, where this compares what differs.</summary>
    public UInt128? Compared { get; init; }

    /// <summary>The digest there, as told before.</summary>
    public UInt128? Told { get; init; }

    /// <summary>This node has slept meanwhile: that no answer came says nothing about the other.</summary>
    public bool IsVoid { get; set; }
}
