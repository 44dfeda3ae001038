namespace FileTransfer.Bandwidth;

/// <summary>The limits of this node, read and changed while it runs.</summary>
public static class LimitRoutes
{
    public static void MapLimits(this IEndpointRouteBuilder routes)
    {
        var limits = routes.MapGroup(Routes.Limits).WithTags("Limits");
        limits
            .MapGet("", (TransferLimits now, NodeId here, TimeProvider time) => Resource(now, here, time))
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("What this node's transfers may use: in force, configured, set, and the rates of the moment");
        limits
            .MapPut("", SetAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Puts limits over the configuration of this node; they count at once and after a restart")
            .WithDescription("What is left out is as configured. What was set before is replaced.")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.LimitsInvalid, ProblemTypes.DatabaseUnavailable);
        limits
            .MapDelete("", DeleteAsync)
            .RequireAuthorization(AccessScopes.Admin)
            .WithSummary("Takes away what was set at this node; its configuration counts again at once")
            .ProducesProblems(ProblemTypes.DatabaseUnavailable);
    }

    private static Ok<LimitsResource> Resource(TransferLimits limits, NodeId here, TimeProvider time) =>
        TypedResults.Ok(limits.Read().Describe(here, time));

    private static async Task<Results<Ok<LimitsResource>, ProblemHttpResult>> SetAsync(
        LimitSet limits,
        NodeLimits kept,
        TransferLimits now,
        NodeId here,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if (limits.Faults().FirstOrDefault() is { Member: not null } fault)
        {
            var member = char.ToLowerInvariant(fault.Member[0]) + fault.Member[1..];
            return Problem.Of(ProblemTypes.LimitsInvalid, $"{member}: {fault.Text}.", ("member", member));
        }

        await kept.SetAsync(limits, cancellationToken);
        return Resource(now, here, time);
    }

    private static async Task<Ok<LimitsResource>> DeleteAsync(
        NodeLimits kept,
        TransferLimits now,
        NodeId here,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        await kept.SetAsync(null, cancellationToken);
        return Resource(now, here, time);
    }
}
