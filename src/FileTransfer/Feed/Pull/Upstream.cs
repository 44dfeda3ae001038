using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>What keeps an upstream from being pulled.</summary>
public sealed record UpstreamFault(string Reason, DateTimeOffset Since);

/// <summary>A cluster that this one pulls from, and how that goes.</summary>
public sealed class Upstream(UpstreamOptions options, UpstreamClient client)
{
    private volatile UpstreamFault? _fault;
    private volatile UpstreamCursors? _told;
    private volatile Comparison? _compared;
    private volatile ComparisonFinding? _found;

    public UpstreamOptions Options => options;

    public UpstreamClient Client => client;

    /// <summary>Null while nothing does, and at nodes that do not lead.</summary>
    public UpstreamFault? Fault
    {
        get => _fault;
        internal set => _fault = value;
    }

    /// <summary>What it said last.</summary>
    public UpstreamCursors? Told => _told;

    /// <summary>The bins of which this cluster has other files than the upstream, though it has applied all that was told.</summary>
    public IReadOnlyList<int> Differing => _compared?.Differing ?? [];

    /// <summary>Whether what is applied was found to be just what the upstream has.</summary>
    public bool IsInStep => Fault is null && _compared is { Differing.Count: 0 } compared && compared.With == _told;

    /// <summary>What it was found to have otherwise the last time that was looked for.</summary>
    public ComparisonFinding? Found
    {
        get => _found;
        internal set => _found = value;
    }

    internal void See(PulledFeed feed) => _told = feed.Told;

    /// <summary>What was applied is compared with what was told: a bin says nothing where it is at another sequence by now.</summary>
    internal void Compare(UpstreamCursors told, IReadOnlyList<(long Sealed, Hash256 Digest)> applied)
    {
        var differing = Enumerable
            .Range(0, applied.Count)
            .Where(bin => applied[bin].Sealed == told.Heads[bin] && applied[bin].Digest != told.Digests[bin])
            .ToList();
        ProofMetrics.Differed(differing.Except(Differing).Count());
        var isWhole = applied.Index().All(bin => bin.Item.Sealed == told.Heads[bin.Index]);
        _compared = isWhole || differing.Count > 0 ? new Comparison(told, differing) : null;
    }

    private sealed record Comparison(UpstreamCursors With, IReadOnlyList<int> Differing);
}

/// <summary>The clusters that this one has files from, each with its client.</summary>
public sealed class UpstreamClients(IOptions<SyncOptions> options, TimeProvider time) : IDisposable
{
    /// <summary>Those that are pulled.</summary>
    public IReadOnlyList<(UpstreamOptions Options, UpstreamClient Client)> All { get; } =
    [.. options.Value.Upstreams.Select(upstream => (upstream, new UpstreamClient(upstream, time)))];

    /// <summary>Those that ship: where they answer they say themselves.</summary>
    public IReadOnlyList<(UpstreamOptions Options, UpstreamClient Client)> Accepted { get; } =
    [
        .. options
            .Value.AcceptFrom.Select(cluster =>
                (cluster, Shipper: options.Value.Shippers.FirstOrDefault(one => one.Name == cluster))
            )
            .Select(one => new UpstreamOptions
            {
                Name = one.cluster,
                Token = one.Shipper?.Token,
                TokenUrl = one.Shipper?.Url,
            })
            .Select(upstream => (upstream, new UpstreamClient(upstream, time))),
    ];

    public void Dispose()
    {
        foreach (var (_, client) in All.Concat(Accepted))
        {
            client.Dispose();
        }
    }
}
