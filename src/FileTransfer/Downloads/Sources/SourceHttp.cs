using FileTransfer.Cluster;
using FileTransfer.Cluster.Peers;

namespace FileTransfer.Downloads.Sources;

/// <summary>The connections to sources: kept warm, never redirected, never through a proxy.</summary>
public sealed class SourceHttp(ThisNode node, Leadership leadership) : IDisposable
{
    /// <summary>A source that is up accepts within milliseconds; one whose machine is gone never says so.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>For the nodes of the cluster: sends this node's token, and says which catalog it works on.</summary>
    public HttpMessageInvoker Nodes { get; } = new Client(node.Token is { } token ? $"Bearer {token}" : null, leadership);

    /// <summary>For configured sources, which learn nothing about this node.</summary>
    public HttpMessageInvoker Others { get; } = new Client(authorization: null, leadership: null);

    public void Dispose()
    {
        Nodes.Dispose();
        Others.Dispose();
    }

    /// <summary>An <see cref="HttpClient"/> would link one more cancellation to each request, for a time-out that sources do not have.</summary>
    private sealed class Client(string? authorization, Leadership? leadership)
        : HttpMessageInvoker(
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
        public override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (authorization is not null)
            {
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
            }

            if (leadership?.Sight is not { } own)
            {
                return await base.SendAsync(request, cancellationToken);
            }

            request.Headers.TryAddWithoutValidation(CatalogSight.Header, own.Text);
            var response = await base.SendAsync(request, cancellationToken);
            if (response.Headers.NonValidated.TryGetValues(CatalogSight.Header, out var sight))
            {
                leadership.Hear(sight.ToString());
            }

            return response;
        }
    }
}
