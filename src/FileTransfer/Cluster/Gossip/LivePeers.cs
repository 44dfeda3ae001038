namespace FileTransfer.Cluster.Gossip;

/// <summary>A node of another cluster that is trusted, and answers.</summary>
/// <param name="Name">Who it is.</param>
/// <param name="Url">Where it answers.</param>
/// <param name="Instance">Names one run of its process.</param>
/// <param name="Buckets">Those that it has files of; empty where it may have any.</param>
/// <param name="Client">Signs what is asked of it in this node's name.</param>
public sealed record LivePeer(PeerName Name, Uri Url, string Instance, IReadOnlySet<string> Buckets, HttpMessageInvoker Client);

/// <summary>The nodes of other clusters that may be asked for files now.</summary>
public sealed class LivePeers
{
    private volatile IReadOnlyList<LivePeer> _all = [];

    /// <summary>Some are there for the first time, or anew.</summary>
    public event Action? Appeared;

    /// <summary>This one is not to be asked any more, nor listened to: it is not trusted, or its announcement has run out.</summary>
    public event Action<PeerName>? Revoked;

    public IReadOnlyList<LivePeer> All => _all;

    public void Set(IReadOnlyList<LivePeer> peers)
    {
        var known = _all.Select(peer => (peer.Name, peer.Instance)).ToHashSet();
        _all = peers;
        if (peers.Any(peer => !known.Contains((peer.Name, peer.Instance))))
        {
            Appeared?.Invoke();
        }
    }

    public void Revoke(PeerName name)
    {
        _all = [.. _all.Where(peer => peer.Name != name)];
        Revoked?.Invoke(name);
    }
}
