using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>What keeps an upstream from being pulled, or one of its bins.</summary>
/// <param name="Failures">How often in a row before this time.</param>
/// <param name="At">A timestamp of the last time.</param>
public sealed record UpstreamFault(string Reason, DateTimeOffset Since, int Failures, long At);

/// <summary>A cluster that this one pulls from, and how that goes.</summary>
public sealed class Upstream(UpstreamOptions options, UpstreamClient client)
{
    private readonly ConcurrentDictionary<short, UpstreamFault> _standing = new();
    private volatile UpstreamFault? _fault;
    private volatile PulledFeed? _feed;
    private long? _lookedAt;
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
    public UpstreamCursors? Told => _feed?.Told;

    /// <summary>The newest sequence of each bin that was applied; null at nodes that do not lead.</summary>
    public IReadOnlyList<long>? Newest => _feed?.Newest;

    /// <summary>The bins that stand still by a fault of theirs alone, and why.</summary>
    public IReadOnlyDictionary<short, UpstreamFault> Standing => _standing;

    /// <summary>The bins of which this cluster has other files than the upstream, though it has applied all that was told.</summary>
    public IReadOnlyList<int> Differing => _compared?.Differing ?? [];

    /// <summary>Whether what is applied was found to be just what the upstream has.</summary>
    public bool IsInStep =>
        Fault is null && _standing.IsEmpty && _compared is { Differing.Count: 0 } compared && compared.With == Told;

    /// <summary>What it was found to have otherwise the last time that was looked for.</summary>
    public ComparisonFinding? Found
    {
        get => _found;
        internal set => _found = value;
    }

    internal void See(PulledFeed feed) => _feed = feed;

    internal void Stand(short bin, UpstreamFault fault) => _standing[bin] = fault;

    /// <returns>Whether it stood still.</returns>
    internal bool GoOn(short bin) => _standing.TryRemove(bin, out _);

    /// <summary>This node does not lead.</summary>
    internal void Forget()
    {
        (_fault, _feed, _compared) = (null, null, null);
        _standing.Clear();
    }

    /// <summary>Whether it is time to look for what differs, which is looked for from time to time.</summary>
    internal bool IsDue(TimeSpan period, TimeProvider time)
    {
        if (_lookedAt is { } at && time.GetElapsedTime(at) < period)
        {
            return false;
        }

        _lookedAt = time.GetTimestamp();
        return true;
    }

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
public sealed class UpstreamClients(IOptions<SyncOptions> options, ThisNode node, TimeProvider time) : IDisposable
{
    /// <summary>Those that are pulled.</summary>
    public IReadOnlyList<(UpstreamOptions Options, UpstreamClient Client)> All { get; } =
    [.. options.Value.Upstreams.Select(upstream => (upstream, new UpstreamClient(upstream, time, node)))];

    /// <summary>Those that ship: where they answer they say themselves.</summary>
    public IReadOnlyList<(UpstreamOptions Options, UpstreamClient Client)> Accepted { get; } =
    [
        .. options
            .Value.AcceptFrom.Select(cluster => new UpstreamOptions
            {
                Name = cluster,
                Shipper = options.Value.Shippers.FirstOrDefault(one => one.Name == cluster),
            })
            .Select(upstream => (upstream, new UpstreamClient(upstream, time, node))),
    ];

    public void Dispose()
    {
        foreach (var (_, client) in All.Concat(Accepted))
        {
            client.Dispose();
        }
    }
}
