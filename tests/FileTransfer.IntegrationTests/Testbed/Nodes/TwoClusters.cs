using System.Net;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Clusters that share no database, of which some pull from others.</summary>
internal sealed class TwoClusters : IAsyncDisposable
{
    private readonly List<TestCluster> _clusters = [];

    /// <summary>The one that was made last.</summary>
    public TestCluster Last => _clusters[^1];

    public async Task<TestCluster> CreateAsync()
    {
        var cluster = await TestCluster.CreateAsync();
        _clusters.Add(cluster);
        return cluster;
    }

    /// <summary>A cluster of one node that leads it.</summary>
    public async Task<NodeProcess> StartAsync(string name, params (string, string)[] settings) =>
        await StartIn(await CreateAsync(), name, settings);

    public static Task<NodeProcess> StartIn(TestCluster cluster, string name, params (string, string)[] settings) =>
        cluster.StartLeaderAsync("a", [("FileTransfer__ClusterId", name), .. settings]);

    /// <summary>An address that is known before its node is started, and the setting that gives it to the node.</summary>
    public static (Uri Url, (string, string) Setting) PlaceOfOwn()
    {
        var url = $"http://127.0.0.1:{PortOfOwn.Next()}";
        return (new Uri(url), ("Kestrel__Endpoints__Http__Url", url));
    }

    /// <summary>The settings of a cluster that pulls from these.</summary>
    public static (string, string)[] PullingFrom(params (string Name, Uri Url)[] upstreams) =>
        [
            .. upstreams.SelectMany(
                (upstream, i) =>
                    new (string, string)[]
                    {
                        ($"FileTransfer__Sync__Upstreams__{i}__Name", upstream.Name),
                        ($"FileTransfer__Sync__Upstreams__{i}__Url", upstream.Url.ToString()),
                    }
            ),
        ];

    public async ValueTask DisposeAsync()
    {
        foreach (var cluster in _clusters)
        {
            await cluster.DisposeAsync();
        }
    }
}

internal static class PulledFiles
{
    /// <summary>Waits until the node knows the file as removed.</summary>
    public static Task RemovedAsync(this NodeProcess node, string key) => node.FileStateIsAsync(key, "removed");

    public static Task FileStateIsAsync(this NodeProcess node, string key, string state) =>
        Eventually.HoldsAsync(
            async () =>
                (await node.Http.GetAsync($"/v1/files/{key}")) is { StatusCode: HttpStatusCode.OK } answer
                && (await answer.Content.ReadAsStringAsync()).Contains($"\"fileState\":\"{state}\"", StringComparison.Ordinal),
            $"{key} is {state} at {node.Url}"
        );

    public static async Task<HttpStatusCode> DeleteAsync(this NodeProcess node, string key)
    {
        using var answer = await node.Http.DeleteAsync($"/v1/files/{key}");
        return answer.StatusCode;
    }
}
