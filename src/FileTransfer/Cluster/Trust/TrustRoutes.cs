using FileTransfer.Identity.Signing;

namespace FileTransfer.Cluster.Trust;

/// <summary>Lists, and revokes, the keys of other nodes while the cluster runs.</summary>
public static class TrustRoutes
{
    public static void MapTrust(this IEndpointRouteBuilder routes)
    {
        var trust = routes.MapGroup(Routes.Trust).WithTags("Trust");
        trust
            .MapGet("", (TrustedKeys trusted) => TypedResults.Ok(ListOf(trusted, _ => true)))
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("The nodes that this node believes, by which keys, and those that it does not any more");
        trust
            .MapGet("/{node}", Find)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("The same of one node, in each cluster that it is listed for")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.TrustUnknown);
        trust
            .MapPut("/{node}", PutAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Trusts a node by this key, and by none that was listed before; at all nodes of the cluster, at once")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.DatabaseUnavailable);
        trust
            .MapDelete("/{node}", RevokeAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Ends the trust in a node; its requests under way are cut off at all nodes of the cluster")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.TrustUnknown, ProblemTypes.DatabaseUnavailable);
    }

    /// <param name="node" example="node-1">The node's id.</param>
    private static Results<Ok<TrustListResource>, ProblemHttpResult> Find(string node, TrustedKeys trusted)
    {
        if (NodeId.FromText(node) is not { } id)
        {
            return Malformed(node);
        }

        var found = ListOf(trusted, entry => entry.Node == id);
        return found.Trust.Count > 0 ? TypedResults.Ok(found) : Unknown(id);
    }

    /// <param name="node" example="node-1">The node's id.</param>
    private static async Task<Results<Ok<TrustListResource>, ProblemHttpResult>> PutAsync(
        string node,
        TrustRequest request,
        TrustedKeys trusted,
        HttpContext context
    )
    {
        if (NodeId.FromText(node) is not { } id || (request.Cluster is not null && NodeId.FromText(request.Cluster) is null))
        {
            return Malformed(NodeId.FromText(node) is null ? node : request.Cluster!);
        }

        if (PublicKey.FromText(request.PublicKey) is not { } key)
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"publicKey is '{Problem.Quote(request.PublicKey ?? "")}', which is no key of ECDSA on P-256; write what `filetransfer identity show` prints at the node."
            );
        }

        await trusted.PutAsync(id, request.Cluster, key, CallerOf(context), context.RequestAborted);
        return TypedResults.Ok(ListOf(trusted, entry => entry.Node == id));
    }

    /// <param name="node" example="node-1">The node's id.</param>
    /// <param name="cluster" example="berlin">Its cluster; all when left out.</param>
    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(
        string node,
        string? cluster,
        TrustedKeys trusted,
        HttpContext context
    )
    {
        if (NodeId.FromText(node) is not { } id || (cluster is not null && NodeId.FromText(cluster) is null))
        {
            return Malformed(NodeId.FromText(node) is null ? node : cluster!);
        }

        return await trusted.RevokeAsync(id, cluster, CallerOf(context), context.RequestAborted)
            ? TypedResults.NoContent()
            : Unknown(id);
    }

    private static TrustListResource ListOf(TrustedKeys trusted, Func<TrustEntry, bool> isMeant)
    {
        var table = trusted.Table;
        return new(
            trusted.Mode.ToString().ToLowerInvariant(),
            [
                .. table
                    .Entries.Where(isMeant)
                    .OrderBy(entry => entry.Node.Value, StringComparer.Ordinal)
                    .ThenBy(entry => entry.Cluster, StringComparer.Ordinal)
                    .ThenByDescending(entry => entry.Origin)
                    .Select(entry => ResourceOf(entry, table)),
            ]
        );
    }

    private static TrustResource ResourceOf(TrustEntry entry, TrustTable table)
    {
        var standing = table.StandingOf(entry);
        var keys =
            standing == TrustStanding.Trusted && entry.Cluster is { } cluster
                ? table.Judge(new PeerName(cluster, entry.Node)).Keys
                : entry.Keys;
        return new(
            entry.Node.Value,
            entry.Cluster,
            standing.ToString().ToLowerInvariant(),
            [.. keys.Select(key => key.ToString())],
            entry.Origin.ToString().ToLowerInvariant(),
            entry.ChangedAt,
            entry.ChangedBy
        );
    }

    private static string CallerOf(HttpContext context) => context.User.Identity?.Name ?? AccessScopes.Anonymous;

    private static ProblemHttpResult Malformed(string name) =>
        Problem.Of(
            ProblemTypes.BadRequest,
            $"'{Problem.Quote(name)}' is no id of a node or a cluster; write 1 to 64 of A-Z a-z 0-9 . _ -"
        );

    private static ProblemHttpResult Unknown(NodeId node) =>
        Problem.Of(
            ProblemTypes.TrustUnknown,
            $"Nothing lists a key of node '{node}' here; GET /v1/trust has all. Settings are each node's own.",
            ("node", node.Value)
        );
}
