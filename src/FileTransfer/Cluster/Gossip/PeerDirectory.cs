using FileTransfer.Catalog.Providers;
using FileTransfer.Cluster.Peers;
using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Gossip;

/// <summary>Makes of what gossip knows whom this node asks for files: who is trusted, answers, and is not of this database.</summary>
public sealed class PeerDirectory(LivePeers live, PeerAddresses addresses, RequestSigner signer, KnownNodes nodes, ThisNode here)
    : IDisposable
{
    private readonly HttpMessageInvoker _http = new(addresses.Connections(PeerClient.Connections()));
    private readonly Dictionary<PeerName, PeerConnection> _connections = [];

    /// <summary>What gossip knows now. Not for several threads at once.</summary>
    public async Task UpdateAsync(IReadOnlyList<PeerView> peers)
    {
        var alive = new List<LivePeer>();
        foreach (var peer in peers.Where(peer => peer.IsAlive))
        {
            // The database's own nodes are sources already, and known to have what they have.
            if (peer.Name.Cluster != here.ClusterId || !await nodes.HasAsync(peer.Name.Node))
            {
                alive.Add(LivePeerOf(peer));
            }
        }

        foreach (var gone in _connections.Keys.Except(peers.Where(IsTrusted).Select(peer => peer.Name)).ToList())
        {
            Revoke(gone);
        }

        live.Set(alive);
    }

    /// <summary>It is not trusted any more: what goes on with it ends.</summary>
    public void Revoke(PeerName peer)
    {
        if (_connections.Remove(peer, out var connection))
        {
            connection.Revoke();
        }

        live.Revoke(peer);
    }

    public void Dispose() => _http.Dispose();

    private static bool IsTrusted(PeerView peer) => peer.Standing == TrustStanding.Trusted;

    private LivePeer LivePeerOf(PeerView peer)
    {
        if (!_connections.TryGetValue(peer.Name, out var connection))
        {
            _connections[peer.Name] = connection = new PeerConnection(peer.Name, _http, signer);
        }

        var words = peer.Words.Content;
        return new LivePeer(
            peer.Name,
            words.Urls[0],
            words.Generation.ToString(CultureInfo.InvariantCulture),
            words.Buckets.ToHashSet(),
            connection
        );
    }
}
