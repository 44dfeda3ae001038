namespace FileTransfer.Contracts;

/// <summary>The nodes of all clusters that have announced themselves here, this one not among them.</summary>
/// <param name="Refused">Announcements and messages that were not believed since the start, by why.</param>
public sealed record PeersResource(IReadOnlyList<PeerResource> Peers, IReadOnlyDictionary<string, long> Refused);

/// <param name="Node" example="node-x">Its name in its cluster.</param>
/// <param name="Cluster" example="other">Its cluster.</param>
/// <param name="Url" example="http://node-x.example:7070">Where it says that it answers.</param>
/// <param name="Alive">It has answered, here or at others that are trusted, and nobody doubts that.</param>
/// <param name="Phi">How much its silence surprises this node: 1 = once in 10 times, 8 = once in 10^8; null where it was hardly heard here.</param>
/// <param name="Since">Since when it is alive, or is not.</param>
/// <param name="Reason" example="it answers">Why it is alive or is not, in words.</param>
/// <param name="Trusted">Its key is trusted under its name. Who is not is asked for nothing.</param>
/// <param name="Status"><c>unknown</c> (it has answered nobody yet), <c>alive</c>, <c>suspect</c>, <c>dead</c> or <c>expired</c> (its announcement has run out).</param>
/// <param name="PublicKey">What it signs with.</param>
/// <param name="Buckets">Those that it has files of; empty where it may have any.</param>
public sealed record PeerResource(
    string Node,
    string Cluster,
    Uri Url,
    bool Alive,
    double? Phi,
    DateTimeOffset Since,
    string Reason,
    bool Trusted,
    string Status,
    string Role,
    bool Leads,
    string PublicKey,
    IReadOnlyList<string> Buckets
);
