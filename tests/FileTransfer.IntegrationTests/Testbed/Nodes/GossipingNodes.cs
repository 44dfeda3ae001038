using System.Globalization;
using System.Text.Json;
using FileTransfer.Chunks.Folder;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Clusters of one node each, called <c>c0/n</c>, <c>c1/n</c> and so on, whose nodes find each other by gossip.</summary>
internal sealed class GossipingNodes : IAsyncDisposable
{
    private readonly List<TestCluster> _clusters = [];

    private GossipingNodes(IReadOnlyList<string> keys) => Keys = keys;

    /// <summary>The public keys of the nodes.</summary>
    public IReadOnlyList<string> Keys { get; private set; }

    public TestCluster Cluster(int number) => _clusters[number];

    /// <summary>Makes clusters, and their nodes' keys; nothing is started.</summary>
    public static async Task<GossipingNodes> CreateAsync(int count)
    {
        var all = new GossipingNodes([]);
        for (var i = 0; i < count; i++)
        {
            all._clusters.Add(await TestCluster.CreateAsync());
        }

        all.Keys = [.. all._clusters.Select(cluster => NodeKeyFile.ReadOrMake(cluster.FolderOf("n")).Current.Public.ToString())];
        return all;
    }

    /// <summary>The settings by which a node trusts others.</summary>
    public IEnumerable<(string, string)> Trusting(params int[] others) =>
        others.SelectMany(
            (other, i) =>
                new[]
                {
                    ($"FileTransfer__Trust__{i}__NodeId", "n"),
                    ($"FileTransfer__Trust__{i}__Cluster", $"c{other}"),
                    ($"FileTransfer__Trust__{i}__PublicKey", Keys[other]),
                }
        );

    public IEnumerable<(string, string)> TrustingAll => Trusting([.. Enumerable.Range(0, _clusters.Count)]);

    public Task<NodeProcess> StartAsync(int number, IEnumerable<(string, string)> settings, Uri? seed = null) =>
        _clusters[number]
            .StartLeaderAsync(
                "n",
                [
                    ("FileTransfer__ClusterId", $"c{number.ToString(CultureInfo.InvariantCulture)}"),
                    .. seed is null ? [] : new[] { ("FileTransfer__Gossip__Seeds__0", seed.ToString()) },
                    .. settings,
                ]
            );

    public async ValueTask DisposeAsync()
    {
        foreach (var cluster in _clusters)
        {
            await cluster.DisposeAsync();
        }
    }
}

internal static class KnownPeers
{
    /// <summary>What a node knows of a peer; null where it knows nothing.</summary>
    public static async Task<JsonElement?> PeerAsync(this NodeProcess node, int number)
    {
        var peers = (await node.GetJsonAsync("/v1/peers")).GetProperty("peers").EnumerateArray();
        var found = peers.Where(peer => peer.GetProperty("cluster").GetString() == $"c{number}").ToList();
        return found.Count > 0 ? found[0] : null;
    }

    public static Task PeerIsAsync(
        this NodeProcess node,
        int number,
        string status,
        bool trusted = true,
        TimeSpan? within = null
    ) =>
        Eventually.HoldsAsync(
            async () =>
                await node.PeerAsync(number) is { } peer
                && peer.GetProperty("status").GetString() == status
                && peer.GetProperty("trusted").GetBoolean() == trusted,
            $"c{number} is {status} at {node.Url}",
            within
        );
}
