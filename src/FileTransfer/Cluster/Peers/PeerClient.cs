using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Peers;

/// <summary>What this node asks of other nodes of the cluster in its own name: with its token where that may be seen, and with the catalog that it works on.</summary>
/// <remarks>An <see cref="HttpClient"/> would link one more cancellation to each request, for a time-out that sources do not have.</remarks>
public sealed class PeerClient(
    ThisNode node,
    Leadership leadership,
    RequestSigner signer,
    TimeProvider time,
    ILogger<PeerClient> logger
) : HttpMessageInvoker(node.Connections(Connections()))
{
    private readonly PeerTrust _trust = new(node, time, logger);

    /// <summary>An address does not prove, or not any more, that a node of the cluster answers there.</summary>
    public event Action<string> AddressDoubted
    {
        add => _trust.Doubted += value;
        remove => _trust.Doubted -= value;
    }

    /// <summary>Connections on which an answer that is given up is not worth reading to its end for their sake.</summary>
    public static SocketsHttpHandler Connections()
    {
        var handler = ClientHandler.Create();
        handler.PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1);
        handler.MaxResponseDrainSize = 0;
        return handler;
    }

    /// <summary>The same for one node of the cluster, to which it can prove who asks also without a token.</summary>
    /// <param name="trust">Whether it may be asked, from one request to the next.</param>
    public HttpMessageInvoker To(NodeId other, TrustedKeys trust) => Member(other, SendAsync, trust);

    /// <summary>Sends a request, and takes what the answer says of the other's catalog for a rumour.</summary>
    public override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await SendAsThisNodeAsync(request, cancellationToken);
        leadership.Hear(SightOf(response));
        return response;
    }

    /// <summary>Which catalog a node works on; null where it does not say.</summary>
    internal async Task<CatalogSight?> AskSightAsync(
        NodeId other,
        Uri url,
        TrustedKeys trust,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, Routes.Leader));
        using var response = await Member(other, SendAsThisNodeAsync, trust).SendAsync(request, cancellationToken);
        return CatalogSight.Parse(SightOf(response));
    }

    /// <summary>Whether a node of the cluster answers there, as far as this node has a token to find that out.</summary>
    internal ValueTask<bool> TrustsAsync(Uri url, CancellationToken cancellationToken) =>
        node.Token is { } token ? _trust.HasAsync(url, token, base.SendAsync, cancellationToken) : new(true);

    private MemberClient Member(NodeId other, SendToPeer send, TrustedKeys trust) =>
        new(new PeerName(node.ClusterId, other), send, signer, trust);

    private async Task<HttpResponseMessage> SendAsThisNodeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (node.Token is { } token && await TrustsAsync(request.RequestUri!, cancellationToken))
        {
            Set("Authorization", $"Bearer {token}");
        }

        Set(NodeHeader.Name, node.Id.Value);
        if (leadership.Sight is { } own)
        {
            Set(CatalogSight.Header, own.Text);
        }

        return await base.SendAsync(request, cancellationToken);

        // It may be sent again.
        void Set(string name, string value)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    private static string? SightOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(CatalogSight.Header, out var sight) ? sight.ToString() : null;
}
