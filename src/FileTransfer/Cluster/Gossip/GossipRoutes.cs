using System.Net.Mime;
using FileTransfer.Cluster.Trust;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Gossip;

/// <summary>What nodes of all clusters tell each other about nodes, and what this one knows of them.</summary>
public static class GossipRoutes
{
    public static void MapGossip(this IEndpointRouteBuilder routes)
    {
        // Made before the first request: what was signed before it was made is refused.
        _ = routes.ServiceProvider.GetRequiredService<RequestSignatures>();
        routes
            .MapPost(Routes.Gossip, ReceiveAsync)
            .AllowAnonymous()
            .WithTags("Peers")
            .WithSummary(
                $"Takes a message of gossip, signed in {SignatureHeader.Name} by the node that sends it, and answers with another one, signed too"
            )
            .Accepts<GossipMessage>(MediaTypeNames.Application.Json)
            .Produces<GossipMessage>()
            .ProducesProblems(
                ProblemTypes.BadRequest,
                ProblemTypes.Unauthenticated,
                ProblemTypes.RequestTooLarge,
                ProblemTypes.TooManyRequests
            );
        routes
            .MapGet(Routes.Peers, (GossipService gossip) => TypedResults.Ok(gossip.Peers()))
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Peers")
            .WithSummary(
                "The nodes of all clusters that have announced themselves here: who is alive, why the others are not, and who is trusted"
            );
    }

    private static async Task<IResult> ReceiveAsync(
        HttpContext context,
        GossipService gossip,
        GossipRates rates,
        RequestSignatures signatures,
        RequestSigner signer,
        CancellationToken cancellationToken
    )
    {
        var request = context.Request;
        var from = PeerName.FromText($"{request.Headers[NodeHeader.Cluster]}/{request.Headers[NodeHeader.Name]}");
        if (rates.RetryAfter(from, context.Connection.RemoteIpAddress) is { } wait)
        {
            gossip.Refuse("rate");
            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return Problem.Of(
                ProblemTypes.TooManyRequests,
                $"{from?.ToString() ?? "A node that does not say who it is"} gossips faster than {GossipRates.PerSecond} times a second, which is more than any node has to tell.",
                ("limit", "gossip")
            );
        }

        if (await RequestSignatures.ReadBodyAsync(request, cancellationToken) is not { Length: <= GossipMessage.Longest } body)
        {
            return Problem.Of(
                ProblemTypes.RequestTooLarge,
                $"A message of gossip has at most {GossipMessage.Longest} bytes; send the rest with the next one."
            );
        }

        GossipMetrics.Received(body.Length);
        if (MessageOf(body) is not { } message)
        {
            gossip.Refuse("malformed");
            return Problem.Of(
                ProblemTypes.BadRequest,
                "The body is no message of gossip: write JSON as the documentation of the protocol has it."
            );
        }

        if (from is null || SignatureHeader.OfRequest(request.Headers[SignatureHeader.Name]) is not { } signature)
        {
            return Refuse(gossip, $"it wants the headers {NodeHeader.Cluster}, {NodeHeader.Name} and {SignatureHeader.Name}");
        }

        var fault = signatures.FaultOf(signature, forAnybody: true);
        if (fault is null && gossip.Read(from, message, IsSignedBy) is { } read)
        {
            var news = await gossip.AnswerAsync(from, read.IsTrusted, read.News, cancellationToken);
            var answer = JsonSerializer.SerializeToUtf8Bytes(news.ToMessage(), WireJson.Default.GossipMessage);
            GossipMetrics.Sent(answer.Length);
            signer.SignAnswer(context.Response, signature.Nonce, answer);
            return Results.Bytes(answer, MediaTypeNames.Application.Json);
        }

        return Refuse(
            gossip,
            fault ?? $"no key of '{from}' that is known has signed it; send the announcement of '{from}' with it"
        );

        bool IsSignedBy(IReadOnlyList<PublicKey> keys, bool isTrusted)
        {
            if (keys.Count == 0)
            {
                return false;
            }

            fault = signatures.FaultOfSignature(request, from, signature, body, keys, isTrusted);
            return fault is null;
        }
    }

    private static ProblemHttpResult Refuse(GossipService gossip, string fault)
    {
        gossip.Refuse("signature");
        return Problem.Of(ProblemTypes.Unauthenticated, $"The message is not believed: {fault}.");
    }

    private static GossipMessage? MessageOf(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, WireJson.Default.GossipMessage);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
