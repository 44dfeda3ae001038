using FileTransfer.Catalog.Providers;
using FileTransfer.Cluster;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;
using Microsoft.Extensions.Options;

namespace FileTransfer.Downloads.Sources;

/// <summary>The sources this process has heard of: the nodes of the catalog at their last address, and the configured ones.</summary>
public sealed class SourceRegistry
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SourceId, Source> _sources = [];
    private readonly List<SourceHint> _configured = [];
    private readonly SourceHttp _http;
    private readonly SourceClientOptions _terms;
    private readonly NodeId _here;

    public SourceRegistry(IOptions<SourceOptions> options, SourceHttp http, SourceClientOptions terms, ThisNode node)
    {
        _http = http;
        _terms = terms;
        _here = node.Id;
        foreach (var entry in options.Value.Sources)
        {
            Source source =
                entry.Kind == ConfiguredKind.Stream
                    ? new StreamSource(entry, http.Others, terms)
                    : new ShareSource(entry, http.Others, terms);
            _sources.Add(source.Id, source);
            _configured.Add(
                new SourceHint(source.Id, entry.Kind == ConfiguredKind.Stream ? SourceKind.Stream : SourceKind.Share)
            );
        }
    }

    /// <summary>The configured ones; what they have is known when they are asked.</summary>
    public IReadOnlyList<SourceId> Configured => [.. _configured.Select(hint => hint.Id)];

    public Source? Find(SourceId id)
    {
        lock (_gate)
        {
            return _sources.GetValueOrDefault(id);
        }
    }

    /// <summary>Who may have a file that these nodes have: they, and whoever is configured.</summary>
    /// <param name="holdings">The nodes that have it.</param>
    /// <param name="readded">Nodes that were known and have been started anew, or moved: what they did before says nothing.</param>
    public IReadOnlyList<SourceHint> Upsert(IReadOnlyList<ContentProvider> holdings, out IReadOnlyList<SourceId> readded)
    {
        var hints = new List<SourceHint>(holdings.Count + _configured.Count);
        List<SourceId>? anew = null;
        lock (_gate)
        {
            foreach (var holding in holdings)
            {
                var id = NodeSource.IdOf(holding.Node);
                hints.Add(new SourceHint(id, holding.IsLeader ? SourceKind.Leader : SourceKind.Node));
                if (Upsert(id, holding))
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
    public bool Upsert(ContentProvider holding)
    {
        lock (_gate)
        {
            return Upsert(NodeSource.IdOf(holding.Node), holding);
        }
    }

    private bool Upsert(SourceId id, ContentProvider holding)
    {
        var known = _sources.GetValueOrDefault(id) as NodeSource;
        if (known is not null && known.Holding.Instance == holding.Instance && known.Url == holding.Url)
        {
            return false;
        }

        _sources[id] = new NodeSource(holding, _here, _http.Nodes, _terms);
        return known is not null;
    }
}
