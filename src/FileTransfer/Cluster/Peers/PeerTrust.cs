using System.Security.Cryptography;

namespace FileTransfer.Cluster.Peers;

/// <summary>Which addresses may see this node's token: those that prove that a node of the cluster answers there. A row of the database alone does not.</summary>
/// <remarks>A node that others reach by https shows its token by https alone.</remarks>
internal sealed partial class PeerTrust(ThisNode node, TimeProvider time, ILogger logger)
{
    /// <summary>More addresses than a cluster has; where somebody writes more into the database, all are asked again.</summary>
    private const int MostKnown = 4096;

    private static readonly TimeSpan _trusted = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _doubted = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, (bool IsTrusted, long At)> _known = new();

    public event Action<string>? Doubted;

    /// <param name="sendAsync">Asks without a token.</param>
    public async ValueTask<bool> HasAsync(
        Uri url,
        string token,
        Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> sendAsync,
        CancellationToken cancellationToken
    )
    {
        var authority = url.GetLeftPart(UriPartial.Authority);
        if (
            _known.TryGetValue(authority, out var known)
            && time.GetElapsedTime(known.At) < (known.IsTrusted ? _trusted : _doubted)
        )
        {
            return known.IsTrusted;
        }

        var isTrusted =
            (url.Scheme == Uri.UriSchemeHttps || node.Url.Scheme == Uri.UriSchemeHttp)
            && !ClientHandler.IsLocalLink(url)
            && await ProvesAsync(url, SHA256.HashData(Encoding.UTF8.GetBytes(token)), sendAsync, cancellationToken);
        if (!isTrusted && known is (true, _) or (_, 0))
        {
            Log.Doubted(logger, authority);
            Doubted?.Invoke(authority);
        }

        if (_known.Count >= MostKnown)
        {
            _known.Clear();
        }

        _known[authority] = (isTrusted, time.GetTimestamp());
        return isTrusted;
    }

    private static async Task<bool> ProvesAsync(
        Uri url,
        byte[] tokenHash,
        Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> sendAsync,
        CancellationToken cancellationToken
    )
    {
        var nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, PeerProof.PathOf(nonce, tokenHash)));
        using var response = await sendAsync(request, cancellationToken);
        return response.Headers.NonValidated.TryGetValues(PeerProof.Header, out var proof)
            && PeerProof.AreEqual(proof.ToString(), PeerProof.Answers(tokenHash, nonce, url));
    }

    private static partial class Log
    {
        [LoggerMessage(
            2141,
            LogLevel.Warning,
            "{Address} is not shown this node's token: it does not prove that it is a node at this address that lists its hash, or is not reached by https. Give the node there the hash, or look who has written this address into the database"
        )]
        public static partial void Doubted(ILogger logger, string address);
    }
}
