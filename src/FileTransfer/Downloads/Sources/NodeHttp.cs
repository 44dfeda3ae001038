using System.Net.Http.Headers;
using FileTransfer.Cluster;

namespace FileTransfer.Downloads.Sources;

/// <summary>The connections to other nodes: kept warm, never redirected, never through a proxy.</summary>
public sealed class NodeHttp : IDisposable
{
    /// <summary>A node that is up accepts within milliseconds; one whose machine is gone never says so.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    public NodeHttp(ThisNode node)
    {
        Client = new HttpClient(
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
        if (node.Token is { } token)
        {
            Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    public HttpClient Client { get; }

    public void Dispose() => Client.Dispose();
}
