namespace FileTransfer.Cluster.Trust;

/// <summary>What is asked of one node of another cluster, signed in this node's name, as long as it is trusted.</summary>
public sealed class PeerConnection(PeerName peer, HttpMessageInvoker http, RequestSigner signer) : HttpMessageInvoker(Nobody)
{
    /// <summary>The other client sends.</summary>
    private static readonly HttpMessageHandler Nobody = new SocketsHttpHandler();

    private volatile bool _isRevoked;

    /// <summary>It is asked for nothing.</summary>
    public bool IsRevoked
    {
        get => _isRevoked;
        set => _isRevoked = value;
    }

    public override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (_isRevoked)
        {
            throw new HttpRequestException($"'{peer}' is not trusted any more, or its announcement has run out");
        }

        await signer.SignAsync(request, peer, cancellationToken);
        return await http.SendAsync(request, cancellationToken);
    }
}
