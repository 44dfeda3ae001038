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

        var gone = _connections.Keys.Except(peers.Where(MayBeAsked).Select(peer => peer.Name));
        foreach (var name in gone.Where(name => !_connections[name].IsRevoked).ToList())
        {
            Revoke(name);
        }

        live.Set(alive);
    }

    /// <summary>It is not trusted any more, or has not said for long who it is: what goes on with it ends.</summary>
    public void Revoke(PeerName peer)
    {
        if (_connections.TryGetValue(peer, out var connection))
        {
            connection.IsRevoked = true;
        }

        live.Revoke(peer);
    }

    public void Dispose() => _http.Dispose();

    private static bool MayBeAsked(PeerView peer) => peer.Standing == TrustStanding.Trusted && peer.Status != PeerStatus.Expired;

    private LivePeer LivePeerOf(PeerView peer)
    {
        if (!_connections.TryGetValue(peer.Name, out var connection))
        {
            _connections[peer.Name] = connection = new PeerConnection(peer.Name, _http, signer);
        }

        // Whoever has it from before goes on with it.
        connection.IsRevoked = false;
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
