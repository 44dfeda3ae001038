using System.Net.Http.Headers;
using FileTransfer.Cluster;

namespace FileTransfer.Downloads.Sources;

/// <summary>The connections to sources: kept warm, never redirected, never through a proxy.</summary>
public sealed class SourceHttp : IDisposable
{
    /// <summary>A source that is up accepts within milliseconds; one whose machine is gone never says so.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    public SourceHttp(ThisNode node)
    {
        Nodes = Create();
        Others = Create();
        if (node.Token is { } token)
        {
            Nodes.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    /// <summary>For the nodes of the cluster: shows this node's token.</summary>
    public HttpClient Nodes { get; }

    /// <summary>For configured sources, which learn nothing about this node.</summary>
    public HttpClient Others { get; }

    public void Dispose()
    {
        Nodes.Dispose();
        Others.Dispose();
    }

    private static HttpClient Create() =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseProxy = false,
                UseCookies = false,
                ConnectTimeout = ConnectTimeout,
                PooledConnectionLifetime = TimeSpan.FromMinutes(10),
                PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
                // An aborted window is not worth reading to its end for the sake of the connection.
                MaxResponseDrainSize = 0,
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
}
