using FileTransfer.Cluster.Trust;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>A node of an upstream, which may have what the upstream has.</summary>
/// <param name="Name">By its cluster.</param>
/// <param name="Instance">Names one run of its process.</param>
public sealed record UpstreamNode(string Upstream, PeerName Name, Uri Url, string Instance, UpstreamClient Client)
{
    public NodeId Node => Name.Node;
}

/// <summary>The nodes of the upstreams, as these list them. Every node of this cluster asks, for each fetches contents by itself.</summary>
public sealed class UpstreamNodes(UpstreamClients clients, TrustedKeys trust, Database database, TimeProvider time)
    : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _periodUntilKnown = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, IReadOnlyList<UpstreamNode>> _known = new();

    /// <summary>Those that may be asked.</summary>
    public IEnumerable<UpstreamNode> All => Known.Where(node => trust.MayAsk(node.Name));

    /// <summary>The trust in these was revoked.</summary>
    public IEnumerable<UpstreamNode> Revoked => Known.Where(node => !trust.MayAsk(node.Name));

    private IEnumerable<UpstreamNode> Known => _known.Values.SelectMany(nodes => nodes);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(
            clients
                .All.Select(upstream => FollowAsync(upstream.Options, upstream.Client, isConfigured: true, stoppingToken))
                .Concat(
                    clients.Accepted.Select(upstream =>
                        FollowAsync(upstream.Options, upstream.Client, isConfigured: false, stoppingToken)
                    )
                )
        );

    private async Task FollowAsync(
        UpstreamOptions upstream,
        UpstreamClient client,
        bool isConfigured,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var isKnown =
                (isConfigured || await FindUrlAsync(upstream, cancellationToken))
                && await LookAsync(upstream, client, cancellationToken);
            await Task.Delay(isKnown ? _period : _periodUntilKnown, time, cancellationToken);
        }
    }

    /// <summary>A cluster that ships here has told its leader's address to the leader of this one.</summary>
    private async Task<bool> FindUrlAsync(UpstreamOptions upstream, CancellationToken cancellationToken)
    {
        try
        {
            upstream.Url = string.Join(' ', await UpstreamPositions.UrlsAsync(database, upstream.Name, cancellationToken));
        }
        catch (Exception e) when (DatabaseReach.IsFailure(e))
        {
            // Where it was is as good as nothing newer.
        }

        return upstream.Url.Length > 0;
    }

    private async Task<bool> LookAsync(UpstreamOptions upstream, UpstreamClient client, CancellationToken cancellationToken)
    {
        try
        {
            var cluster = await client.GetAsync(Routes.Nodes, TimeSpan.Zero, WireJson.Default.ClusterResource, cancellationToken);
            List<UpstreamNode> nodes =
            [
                .. (cluster?.Nodes ?? [])
                    .Where(node => node.Alive && NodeId.FromText(node.Node) is not null && WrittenUrl.IsPlain(node.Url))
                    .Select(node => new UpstreamNode(
                        upstream.Name,
                        new PeerName(cluster!.Cluster, new NodeId(node.Node)),
                        node.Url,
                        $"{node.StartedAt:O}",
                        client
                    )),
            ];
            _known[upstream.Name] = nodes;

            // One that has just been started lists nobody before it has joined its own cluster.
            return nodes.Count > 0;
        }
        catch (UpstreamFaultException)
        {
            // The leader's puller says so; what was known of its nodes is as good as before.
            return false;
        }
    }
}
