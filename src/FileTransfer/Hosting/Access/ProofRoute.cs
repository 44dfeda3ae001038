using FileTransfer.Cluster;

namespace FileTransfer.Hosting.Access;

/// <summary>Proves to another node that this one knows its token, before it shows it.</summary>
internal static class ProofRoute
{
    public static void MapProof(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Proof, Prove)
            .AllowAnonymous()
            .WithTags("Cluster")
            .WithSummary(
                $"Proves in {PeerProof.Header} that this node lists the token of the one that asks; without that header where it does not"
            )
            .Produces(StatusCodes.Status204NoContent);

    /// <param name="nonce" example="00112233445566778899aabbccddeeff">Made up by who asks.</param>
    /// <param name="asks" example="0f">HMAC-SHA256 of "asks NONCE", in hex; the key is the SHA-256 of the token.</param>
    private static NoContent Prove(HttpContext context, string nonce, string asks, TokenTable tokens, ThisNode here)
    {
        if (tokens.Prove(nonce, asks, here.Url) is { } proof)
        {
            context.Response.Headers[PeerProof.Header] = proof;
        }

        return TypedResults.NoContent();
    }
}
