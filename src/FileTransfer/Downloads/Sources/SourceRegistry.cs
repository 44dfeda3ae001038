using FileTransfer.Catalog.Providers;
using FileTransfer.Cluster;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Cluster.Peers;
using FileTransfer.Cluster.Trust;
using FileTransfer.Downloads.Planning;
using FileTransfer.Feed.Pull;

namespace FileTransfer.Downloads.Sources;

/// <summary>The sources this process has heard of: the nodes of the catalog at their last address, and the configured ones.</summary>
public sealed class SourceRegistry : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SourceId, Source> _sources = [];
    private readonly List<SourceHint> _configured = [];
    private readonly PeerClient _peers;

    /// <summary>For configured sources, which learn nothing about this node.</summary>
    private readonly HttpMessageInvoker _others = new(PeerClient.Connections().WithoutTraces());
    private readonly UpstreamNodes _upstreams;
    private readonly LivePeers _livePeers;
    private readonly TrustedKeys _trust;
    private readonly ThisNode _here;
    private readonly SourceClientOptions _options;

    public SourceRegistry(
        IOptions<SourceOptions> configured,
        PeerClient peers,
        UpstreamNodes upstreams,
        LivePeers livePeers,
        TrustedKeys trust,
        ThisNode here,
        SourceClientOptions options
    )
    {
        _upstreams = upstreams;
        _livePeers = livePeers;
        (_trust, _here) = (trust, here);
        _peers = peers;
        _options = options;
        foreach (var entry in configured.Value.Sources)
        {
            (Source source, SourceKind kind) =
                entry.Kind == ConfiguredKind.Stream
                    ? ((Source)new StreamSource(entry, _others, options), SourceKind.Stream)
                    : (new ShareSource(entry, _others, options), SourceKind.Share);
            _sources.Add(source.Id, source);
            _configured.Add(new SourceHint(source.Id, kind));
        }
    }

    /// <summary>The configured ones, the nodes of upstreams, and peers; what they have is known when they are asked.</summary>
    public IReadOnlyList<SourceId> OutsideIds =>
        [
            .. _configured.Select(hint => hint.Id),
            .. _upstreams.All.Select(NodeSource.IdOf),
            .. _livePeers.All.Select(NodeSource.IdOf),
        ];

    /// <summary>Those of <see cref="OutsideIds"/>: they may know files that this cluster does not.</summary>
    public IReadOnlyList<Source> Outside()
    {
        lock (_gate)
        {
            var ids = _configured.Select(hint => hint.Id).ToList();
            foreach (var node in _upstreams.All)
            {
                ids.Add(NodeSource.IdOf(node));
                Upsert(ids[^1], NodeSource.ProviderOf(node), () => new NodeSource(node, _options));
            }

            foreach (var peer in _livePeers.All)
            {
                ids.Add(NodeSource.IdOf(peer));
                Upsert(ids[^1], NodeSource.ProviderOf(peer), () => new NodeSource(peer, _options));
            }

            return [.. ids.Select(id => _sources[id])];
        }
    }

    public Source? Find(SourceId id)
    {
        lock (_gate)
        {
            return _sources.GetValueOrDefault(id);
        }
    }

    /// <summary>Of the nodes that have a file those that may be asked for it.</summary>
    public FileProviders ToBeAsked(FileProviders providers) =>
        providers with
        {
            Nodes = [.. providers.Nodes.Where(provider => MayAsk(provider.Node))],
            Fellows = [.. providers.Fellows.Where(provider => MayAsk(provider.Node))],
        };

    /// <summary>Nodes of this cluster, and of its upstreams, that are known and must not be asked any more.</summary>
    public IReadOnlyList<SourceId> Revoked()
    {
        lock (_gate)
        {
            return
            [
                .. _sources
                    .Values.OfType<NodeSource>()
                    .Where(source => !source.IsOutside && !MayAsk(source.Provider.Node))
                    .Select(source => source.Id),
                .. _upstreams.Revoked.Select(NodeSource.IdOf),
            ];
        }
    }

    /// <summary>
    /// Who may have a file that these nodes have: they, in part its fellows, nodes of the upstreams that have it, peers, and whoever is
    /// configured.
    /// </summary>
    /// <param name="providers">The nodes that have it, and those that download it.</param>
    /// <param name="peers">Nodes of other clusters that are worth asking.</param>
    /// <param name="readded">Nodes that were known and have been started anew, or moved: what they did before says nothing.</param>
    public IReadOnlyList<SourceHint> Upsert(
        FileProviders providers,
        IReadOnlyList<LivePeer> peers,
        out IReadOnlyList<SourceId> readded
    )
    {
        var hints = new List<SourceHint>(providers.Nodes.Count + providers.Fellows.Count + _configured.Count);
        List<SourceId>? anew = null;
        lock (_gate)
        {
            foreach (var provider in providers.Nodes.Concat(providers.Fellows))
            {
                var id = NodeSource.IdOf(provider.Node);
                var isPartial = hints.Count >= providers.Nodes.Count;
                hints.Add(new SourceHint(id, provider.IsLeader ? SourceKind.Leader : SourceKind.Node, isPartial));
                if (Upsert(id, provider, () => new NodeSource(provider, _peers.To(provider.Node, _trust), _options)))
                {
                    (anew ??= []).Add(id);
                }
            }

            foreach (var node in _upstreams.All.Where(node => providers.Upstreams.Contains(node.Upstream)))
            {
                var id = NodeSource.IdOf(node);
                hints.Add(new SourceHint(id, SourceKind.Node));
                if (Upsert(id, NodeSource.ProviderOf(node), () => new NodeSource(node, _options)))
                {
                    (anew ??= []).Add(id);
                }
            }

            foreach (var peer in peers)
            {
                var id = NodeSource.IdOf(peer);
                hints.Add(new SourceHint(id, SourceKind.Node));
                if (Upsert(id, NodeSource.ProviderOf(peer), () => new NodeSource(peer, _options)))
                {
                    (anew ??= []).Add(id);
                }
            }
        }

        hints.AddRange(_configured);
        readded = anew ?? [];
        return hints;
    }

    /// <summary>The address of a node; true when the node was known by another.</summary>
    public bool Upsert(ContentProvider provider)
    {
        lock (_gate)
        {
            return Upsert(
                NodeSource.IdOf(provider.Node),
                provider,
                () => new NodeSource(provider, _peers.To(provider.Node, _trust), _options)
            );
        }
    }

    public void Dispose() => _others.Dispose();

    private bool MayAsk(NodeId member) => _trust.MayAsk(new PeerName(_here.ClusterId, member));

    private bool Upsert(SourceId id, ContentProvider provider, Func<NodeSource> create)
    {
        var known = _sources.GetValueOrDefault(id) as NodeSource;
        if (known is not null && known.Provider.Instance == provider.Instance && known.Url == provider.Url)
        {
            return false;
        }

        _sources[id] = create();
        return known is not null;
    }
}
