using FileTransfer.Identity.Signing;
using Microsoft.AspNetCore.Http.Features;

namespace FileTransfer.Cluster.Trust;

/// <summary>Whether a signed request is what its node sent to this one, now and for the first time.</summary>
/// <remarks>
/// What is remembered of a trusted key's requests has room of its own: nobody else's fill it. Memory begins with this process: what was
/// signed before may have been counted by the one before it, and is refused.
/// </remarks>
public sealed class RequestSignatures(ThisNode node, TimeProvider time)
{
    /// <summary>By how much the clocks of two nodes may differ.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    /// <summary>Bytes of a body, which is kept in memory.</summary>
    public const int LongestBody = 1024 * 1024;

    /// <summary>Requests of a key in two minutes: more than 2,000 a second.</summary>
    internal const int MostOfKey = 256 * 1024;

    /// <summary>Those of all nodes that are not trusted, together.</summary>
    internal const int MostOfStrangers = 16 * 1024;

    private readonly ConcurrentDictionary<PublicKey, SeenNonces> _seen = new();
    private readonly SeenNonces _ofStrangers = new(MostOfStrangers, time);
    private readonly long _begun = time.GetTimestamp();

    /// <summary>What can be said without the key: whom it is for, and when it was signed.</summary>
    /// <param name="header">Of the request.</param>
    /// <param name="forAnybody">Whether it may be for whoever answers.</param>
    /// <returns>Why it is refused, as a clause; null where it is not.</returns>
    public string? FaultOf(SignatureHeader header, bool forAnybody)
    {
        if (header.To != node.Name.ToString() && !(forAnybody && header.To == SignatureHeader.Anybody))
        {
            return $"it is for '{header.To}', and this is '{node.Name}'";
        }

        var now = time.GetUtcNow();
        var ahead = header.At - now.ToUnixTimeSeconds();
        if (Math.Abs(ahead) > Tolerance.TotalSeconds)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"it was signed by a clock that is {Math.Abs(ahead)} s {(ahead > 0 ? "ahead of" : "behind")} that of this node, and {Tolerance.TotalSeconds:0} s are the most: set the clocks by NTP"
            );
        }

        return header.At < (now - time.GetElapsedTime(_begun)).ToUnixTimeSeconds()
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"it was signed {-ahead} s ago, before this node started, which cannot tell it from a replay: sign it anew; where the clock of who signed it is behind, it passes by itself within {Tolerance.TotalSeconds:0} s"
            )
            : null;
    }

    /// <summary>Whether one of a node's keys has signed this request, for the first time.</summary>
    /// <param name="request">Whose body was read into memory.</param>
    /// <param name="from">The node that it says it is from.</param>
    /// <param name="header">Its signature; <see cref="FaultOf"/> has nothing against it.</param>
    /// <param name="body">All of it.</param>
    /// <param name="keys">Of the node.</param>
    /// <param name="isTrusted">Whether there is room for these keys' requests alone.</param>
    /// <returns>Why it is refused, as a clause; null where it is not.</returns>
    public string? FaultOfSignature(
        HttpRequest request,
        PeerName from,
        SignatureHeader header,
        ReadOnlySpan<byte> body,
        IEnumerable<PublicKey> keys,
        bool isTrusted
    )
    {
        var target = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var text = SignatureHeader.TextOfRequest(request.Method, target, header.To, from, header.At, header.Nonce, body);
        if (keys.FirstOrDefault(key => key.Verifies(text, header.Signature)) is not { } signer)
        {
            return $"no key of '{from}' has signed this request";
        }

        var seen = isTrusted ? _seen.GetOrAdd(signer, _ => new SeenNonces(MostOfKey, time)) : _ofStrangers;
        return seen.TryAdd(header.Nonce) switch
        {
            true => null,
            false => "it was sent before, and counts once",
            null => "more requests were signed in two minutes than are remembered",
        };
    }

    /// <summary>Reads a body of a signed request, and leaves it for who reads it next; null where it is longer than such a one may be.</summary>
    public static async Task<byte[]?> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > LongestBody)
        {
            return null;
        }

        var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await request.Body.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            if (body.Length + read > LongestBody)
            {
                return null;
            }

            body.Write(buffer, 0, read);
        }

        body.Position = 0;
        request.Body = body;
        return body.ToArray();
    }

    /// <summary>Whether the answer to a request that this node signed is that of a node by one of its keys.</summary>
    public static bool IsAnswerOf(
        HttpResponseMessage response,
        PeerName from,
        string nonce,
        ReadOnlySpan<byte> body,
        IEnumerable<PublicKey> keys
    ) =>
        SignatureHeader.OfAnswer(HeaderOf(response, SignatureHeader.Name)) is var (answered, signature)
        && answered == nonce
        && SignatureHeader.TextOfAnswer(nonce, from, body) is var text
        && keys.Any(key => key.Verifies(text, signature));

    /// <summary>Who an answer says it is of; null where it does not.</summary>
    public static PeerName? SenderOf(HttpResponseMessage response) =>
        PeerName.FromText($"{HeaderOf(response, NodeHeader.Cluster)}/{HeaderOf(response, NodeHeader.Name)}");

    private static string? HeaderOf(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
}
