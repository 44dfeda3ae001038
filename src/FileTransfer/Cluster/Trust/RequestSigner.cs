using FileTransfer.Chunks.Folder;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Trust;

/// <summary>Signs with this node's key what it asks of nodes that know neither its token nor its certificate, and what it answers to gossip.</summary>
public sealed class RequestSigner(NodeKeyFile keys, ThisNode node, TimeProvider time)
{
    /// <summary>Adds the headers, as late as can be: they count for a minute. The body is kept in memory.</summary>
    /// <param name="request">For an absolute address.</param>
    /// <param name="to">Whom it is for; null where that is not known, which gossip alone allows.</param>
    /// <param name="cancellationToken">Ends the reading of the body.</param>
    /// <returns>The nonce, which an answer to gossip repeats.</returns>
    public async Task<string> SignAsync(HttpRequestMessage request, PeerName? to, CancellationToken cancellationToken)
    {
        var body = request.Content is { } content ? await content.ReadAsByteArrayAsync(cancellationToken) : [];
        var header = Sign(
            keys.Current.Current,
            node.Name,
            to?.ToString() ?? SignatureHeader.Anybody,
            time.GetUtcNow(),
            request.Method.Method,
            request.RequestUri!.PathAndQuery,
            body
        );
        Set(NodeHeader.Cluster, node.Name.Cluster);
        Set(NodeHeader.Name, node.Name.Node.Value);
        Set(SignatureHeader.Name, header.ToString());
        return header.Nonce;

        void Set(string name, string value)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    /// <summary>Signs the body of an answer, before it is sent.</summary>
    /// <param name="response">The headers are added to it.</param>
    /// <param name="nonce">Of the request.</param>
    /// <param name="body">All of it.</param>
    public void SignAnswer(HttpResponse response, string nonce, ReadOnlySpan<byte> body)
    {
        var signature = keys.Current.Current.Sign(SignatureHeader.TextOfAnswer(nonce, node.Name, body));
        response.Headers[NodeHeader.Cluster] = node.Name.Cluster;
        response.Headers[NodeHeader.Name] = node.Name.Node.Value;
        response.Headers[SignatureHeader.Name] = SignatureHeader.AnswerText(nonce, signature);
    }

    internal static SignatureHeader Sign(
        NodeKey key,
        PeerName from,
        string to,
        DateTimeOffset now,
        string method,
        string target,
        ReadOnlySpan<byte> body
    )
    {
        var (at, nonce) = (now.ToUnixTimeSeconds(), SignatureHeader.NewNonce());
        var text = SignatureHeader.TextOfRequest(method, target, to, from, at, nonce, body);
        return new SignatureHeader(to, at, nonce, key.Sign(text));
    }
}
