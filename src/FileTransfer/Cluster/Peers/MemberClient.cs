using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster.Peers;

/// <summary>Sends a request to a node of the cluster, with what this one has to show.</summary>
internal delegate Task<HttpResponseMessage> SendToPeer(HttpRequestMessage request, CancellationToken cancellationToken);

/// <summary>What this node asks of one node of its cluster: signed where that one wants to know who asks, and is shown neither a token nor a certificate.</summary>
/// <remarks>Where nobody is asked for anything, a clock that is off must not keep nodes apart.</remarks>
internal sealed class MemberClient(PeerName to, SendToPeer send, RequestSigner signer, TrustedKeys trust)
    : HttpMessageInvoker(Nobody)
{
    /// <summary>The other client sends.</summary>
    private static readonly SocketsHttpHandler Nobody = new();

    private volatile bool _signs;

    public override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!await trust.MayAskAsync(to, cancellationToken))
        {
            throw new HttpRequestException($"'{to}' is not trusted");
        }

        var signs = _signs;
        if (signs)
        {
            await signer.SignAsync(request, to, cancellationToken);
        }

        var response = await send(request, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Unauthorized)
        {
            return response;
        }

        _signs = !signs;
        if (signs || request.Headers.Contains("Authorization"))
        {
            return response;
        }

        response.Dispose();
        await signer.SignAsync(request, to, cancellationToken);
        return await send(request, cancellationToken);
    }
}
