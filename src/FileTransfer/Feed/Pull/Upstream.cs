using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>What keeps an upstream from being pulled.</summary>
public sealed record UpstreamFault(string Reason, DateTimeOffset Since);

/// <summary>A cluster that this one pulls from, and how that goes.</summary>
public sealed class Upstream(UpstreamOptions options, UpstreamClient client)
{
    private volatile UpstreamFault? _fault;
    private volatile UpstreamCursors? _told;

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

    internal void See(PulledFeed feed) => _told = feed.Told;
}

/// <summary>The configured upstreams, each with its client.</summary>
public sealed class UpstreamClients(IOptions<SyncOptions> options, TimeProvider time) : IDisposable
{
    public IReadOnlyList<(UpstreamOptions Options, UpstreamClient Client)> All { get; } =
    [.. options.Value.Upstreams.Select(upstream => (upstream, new UpstreamClient(upstream, time)))];

    public void Dispose()
    {
        foreach (var (_, client) in All)
        {
            client.Dispose();
        }
    }
}
