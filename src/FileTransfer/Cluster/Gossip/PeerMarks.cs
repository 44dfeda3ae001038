namespace FileTransfer.Cluster.Gossip;

/// <summary>What nodes tell each other of a peer, beside its own words.</summary>
[Flags]
internal enum PeerMarks
{
    None = 0,

    /// <summary>It has answered somebody in this generation.</summary>
    Answered = 1,

    /// <summary>Somebody got no answer from it, himself and through others, and it has not refuted that yet.</summary>
    Suspected = 2,
}
