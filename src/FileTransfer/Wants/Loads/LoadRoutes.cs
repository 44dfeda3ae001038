using Microsoft.AspNetCore.Mvc;

namespace FileTransfer.Wants.Loads;

/// <summary>Loads: a node is to have a set of files by a deadline, from whoever has them.</summary>
public static class LoadRoutes
{
    /// <summary>Room for all labels with their metadata.</summary>
    private const long LongestRequest = 256L * 1024 * 1024;

    private const int Page = 20;

    /// <summary>A page ends with the load in which they reach so many bytes.</summary>
    private const int PageBytes = 1024 * 1024;

    public static void MapLoads(this IEndpointRouteBuilder routes)
    {
        var loads = routes.MapGroup(Routes.Loads).WithTags("Loads").ProducesProblems(ProblemTypes.DatabaseUnavailable);
        loads
            .MapGet("", ListAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("The loads of this node, those that run first; the newest of each name, for a day after it has ended")
            .Produces<LoadsResource>()
            .ProducesProblems(ProblemTypes.BadRequest);
        loads
            .MapPut("/{name}", BeginAsync)
            .RequireAuthorization(AccessScopes.Write)
            .WithMetadata(new RequestSizeLimitAttribute(LongestRequest))
            .WithSummary(
                "Makes a load, instead of the one under its name; 200 when it is that one again, or all is stored already"
            )
            .ProducesProblems(
                ProblemTypes.BadRequest,
                ProblemTypes.FileKeyMalformed,
                ProblemTypes.FileRemoved,
                ProblemTypes.LoadStale,
                ProblemTypes.MetadataInvalid,
                ProblemTypes.KeyMismatch,
                ProblemTypes.CommitUnconfirmed
            );
        loads
            .MapGet("/{name}", FindAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary("How far a load is, what is missing and why, and what went wrong with sources")
            .ProducesProblems(ProblemTypes.LoadUnknown);
        loads
            .MapDelete("/{name}", WithdrawAsync)
            .RequireAuthorization(AccessScopes.Write)
            .WithSummary("Ends a load: what is stored stays, what nobody else wants is given up")
            .ProducesProblems(ProblemTypes.LoadUnknown);
        loads
            .MapGet("/{name}/events", LoadEventStream.FollowAsync)
            .RequireAuthorization(AccessScopes.Read)
            .ServesEvents()
            .WithSummary("A load as server-sent events: its state, every change of it, and its end with all labels")
            .ProducesProblems(ProblemTypes.LoadUnknown);
    }

    /// <param name="after" example="17">The id of the load that the page before ended with, its <c>next</c>.</param>
    private static async Task<IResult> ListAsync(
        long? after,
        LoadTable table,
        LoadReports reports,
        NodeId here,
        CancellationToken cancellationToken
    )
    {
        var all = new List<LoadResource>();
        var bytes = 0;
        var page = await table.PageAsync(after, Page + 1, cancellationToken);
        foreach (var load in page.Take(Page).TakeWhile(_ => bytes < PageBytes))
        {
            all.Add(await reports.DescribeAsync(load, withLabels: false, cancellationToken));
            bytes += JsonSerializer.SerializeToUtf8Bytes(all[^1], WireJson.Default.LoadResource).Length;
        }

        var next = page.Count > all.Count ? all[^1].Id : (long?)null;
        return TypedResults.Json(new LoadsResource(here.Value, all, next), WireJson.Default.LoadsResource);
    }

    /// <param name="name" example="state-17">1 to 64 letters, digits, '.', '_' or '-'.</param>
    private static async Task<Results<Ok<LoadResource>, Created<LoadResource>, ProblemHttpResult>> BeginAsync(
        string name,
        LoadRequest request,
        LoadTable table,
        LoadReports reports,
        LoadMaintenance maintenance,
        CancellationToken cancellationToken
    )
    {
        if (LoadOrder.Read(name, request, out var fault) is not { } order)
        {
            return fault!;
        }

        var begun = await table.BeginAsync(order, cancellationToken);
        if (begun is { Outcome: BeginOutcome.Stale, Load: { } newest })
        {
            return Problem.Of(
                ProblemTypes.LoadStale,
                $"The load '{name}' has sequence {newest.Sequence} by now; {order.Sequence} is lower, or names another set. "
                    + "Choose a higher one for a newer set.",
                ("sequence", newest.Sequence)
            );
        }

        if (begun.Removed is var (label, key))
        {
            return Problem.Of(
                ProblemTypes.FileRemoved,
                $"'{Problem.Quote(label)}' is the file {key}, which was removed. Write \"readd\": true if it is to come back.",
                ("key", key.ToString()),
                ("state", "removed")
            );
        }

        maintenance.Wake();
        var load = await table.FindAsync(name, cancellationToken);
        var resource = await reports.DescribeAsync(load!, withLabels: false, cancellationToken);
        return begun.Outcome == BeginOutcome.Same
            ? TypedResults.Ok(resource with { Says = $"It is the same load again. {resource.Says}" })
            : TypedResults.Created(Routes.Of(Routes.Load, name), resource);
    }

    /// <param name="name" example="state-17">The load.</param>
    /// <param name="labels" example="true">Whether all labels with their keys are told, too.</param>
    private static async Task<Results<Ok<LoadResource>, ProblemHttpResult>> FindAsync(
        string name,
        bool? labels,
        LoadTable table,
        LoadReports reports,
        CancellationToken cancellationToken
    ) =>
        await table.FindAsync(name, cancellationToken) is { } load
            ? TypedResults.Ok(await reports.DescribeAsync(load, labels == true, cancellationToken))
            : Unknown(name);

    /// <param name="name" example="state-17">The load.</param>
    private static async Task<Results<Ok<LoadResource>, ProblemHttpResult>> WithdrawAsync(
        string name,
        LoadTable table,
        LoadReports reports,
        CancellationToken cancellationToken
    )
    {
        if (await table.FindAsync(name, cancellationToken) is not { } load)
        {
            return Unknown(name);
        }

        await table.EndAsync(load, "withdrawn", "somebody withdrew it", null, cancellationToken);
        await table.SettleAsync(load, cancellationToken);
        var ended = await table.FindAsync(name, cancellationToken);
        return TypedResults.Ok(await reports.DescribeAsync(ended ?? load, withLabels: false, cancellationToken));
    }

    internal static ProblemHttpResult Unknown(string name) =>
        Problem.Of(
            ProblemTypes.LoadUnknown,
            $"This node has no load '{Problem.Quote(name)}'. Loads belong to the node that they were made at, and are forgotten "
                + $"{LoadTable.Remembered.TotalHours:0} hours after they ended; see GET {Routes.Loads}."
        );
}
