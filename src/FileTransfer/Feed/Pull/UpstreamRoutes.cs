using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed.Pull;

/// <summary>What an operator does about an upstream; its cluster's leader does it.</summary>
internal static partial class UpstreamRoutes
{
    public static void MapUpstreams(this IEndpointRouteBuilder routes)
    {
        var upstreams = routes
            .MapGroup("")
            .WithTags("Sync")
            .ProducesProblems(ProblemTypes.UpstreamUnknown, ProblemTypes.DatabaseUnavailable);
        upstreams.AtTheLeaderOnly();
        upstreams
            .MapGet(Routes.UpstreamKept, KeptAsync)
            .RequireAuthorization(AccessScopes.Read)
            .WithSummary(
                "The files that an upstream does not have any more and that stay here, one a line, in the order of their keys"
            )
            .Produces<UpstreamKeptFile>(StatusCodes.Status200OK, Ndjson.MediaType);
        var deciding = upstreams.MapGroup("").RequireAuthorization(AccessScopes.Admin);
        deciding
            .MapPost(Routes.UpstreamAccept, AcceptAsync)
            .WithSummary("Accepts that an upstream does not have them any more: what nobody else claims is removed")
            .Produces<UpstreamDecisionResource>();
        deciding
            .MapPost(Routes.UpstreamKeep, KeepAsync)
            .WithSummary("Keeps them as files of this cluster's own")
            .Produces<UpstreamDecisionResource>();
        deciding
            .MapPost(Routes.UpstreamCompare, CompareAsync)
            .WithSummary("Compares with an upstream by the digests of ranges of keys, and takes over what differs")
            .Produces<SyncFindingResource>()
            .ProducesProblems(ProblemTypes.UpstreamFailed);
        deciding
            .MapPost(Routes.UpstreamResync, ResyncAsync)
            .WithSummary(
                "Takes every file of an upstream anew, whatever the digests say; contents that are held are not fetched again"
            )
            .Produces<SyncFindingResource>()
            .ProducesProblems(ProblemTypes.UpstreamFailed);
    }

    public static SyncFindingResource ResourceOf(ComparisonFinding found) =>
        new(found.At, found.Missing, found.Extra, [.. found.Keys.Select(key => key.ToString())]);

    /// <param name="upstream" example="north">As the configuration names it.</param>
    private static async Task<IResult> KeptAsync(string upstream, UpstreamPuller puller, KeptFiles kept, HttpContext context)
    {
        if (Find(puller, upstream) is null)
        {
            return Unknown(puller, upstream);
        }

        var files = kept.ReadAsync(upstream, context.RequestAborted).GetAsyncEnumerator(context.RequestAborted);
        await using (files)
        {
            // A database that is away is told as a problem as long as nothing was sent.
            var more = await files.MoveNextAsync();
            context.Response.ContentType = Ndjson.MediaType;
            for (; more; more = await files.MoveNextAsync())
            {
                var (key, metadata, isClaimed, since) = files.Current;
                var (_, bucket, location, locationHex, size, _) = FileRegistration.Of(metadata);
                Ndjson.WriteLine(
                    context.Response.BodyWriter,
                    new UpstreamKeptFile(key.ToString(), bucket!, location, locationHex, (long)size!, isClaimed, since),
                    SparseJson.Default.UpstreamKeptFile
                );
                await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            }
        }

        return Results.Empty;
    }

    /// <param name="upstream" example="north">As the configuration names it.</param>
    private static Task<IResult> AcceptAsync(
        string upstream,
        UpstreamPuller puller,
        FileCommands commands,
        ILogger<UpstreamPuller> logger,
        HttpContext context
    ) => DecideAsync(upstream, KeptDecision.Accept, puller, commands, logger, context);

    /// <param name="upstream" example="north">As the configuration names it.</param>
    private static Task<IResult> KeepAsync(
        string upstream,
        UpstreamPuller puller,
        FileCommands commands,
        ILogger<UpstreamPuller> logger,
        HttpContext context
    ) => DecideAsync(upstream, KeptDecision.Keep, puller, commands, logger, context);

    private static async Task<IResult> DecideAsync(
        string upstream,
        KeptDecision decision,
        UpstreamPuller puller,
        FileCommands commands,
        ILogger logger,
        HttpContext context
    )
    {
        if (Find(puller, upstream) is not { } found)
        {
            return Unknown(puller, upstream);
        }

        var name = found.Options.Name;
        var (files, removed) = await commands.DecideKeptAsync(name, decision, context.RequestAborted);
        Log.Decided(logger, SyncWait.PeerOf(context), decision, name, files, removed);
        return TypedResults.Json(new UpstreamDecisionResource(name, files, removed), WireJson.Default.UpstreamDecisionResource);
    }

    /// <param name="upstream" example="north">As the configuration names it.</param>
    private static Task<IResult> CompareAsync(
        string upstream,
        UpstreamPuller puller,
        UpstreamComparison comparison,
        ILogger<UpstreamPuller> logger,
        HttpContext context
    ) => FindAsync(upstream, ComparisonDepth.Differences, puller, comparison, logger, context);

    /// <param name="upstream" example="north">As the configuration names it.</param>
    private static Task<IResult> ResyncAsync(
        string upstream,
        UpstreamPuller puller,
        UpstreamComparison comparison,
        ILogger<UpstreamPuller> logger,
        HttpContext context
    ) => FindAsync(upstream, ComparisonDepth.Everything, puller, comparison, logger, context);

    private static async Task<IResult> FindAsync(
        string upstream,
        ComparisonDepth depth,
        UpstreamPuller puller,
        UpstreamComparison comparison,
        ILogger logger,
        HttpContext context
    )
    {
        if (Find(puller, upstream) is not { } asked)
        {
            return Unknown(puller, upstream);
        }

        Log.Compares(logger, SyncWait.PeerOf(context), depth, asked.Options.Name);
        try
        {
            var bins = Enumerable.Range(0, FeedPage.Bins);
            var found = await comparison.FindAsync(asked, bins, depth, context.RequestAborted);
            return TypedResults.Json(ResourceOf(found), WireJson.Default.SyncFindingResource);
        }
        catch (UpstreamFaultException fault)
        {
            return Problem.Of(
                ProblemTypes.UpstreamFailed,
                $"Upstream '{asked.Options.Name}' at {asked.Client.Url} cannot be compared: {fault.Message}."
            );
        }
    }

    private static Upstream? Find(UpstreamPuller puller, string name) =>
        puller.Upstreams.FirstOrDefault(one => string.Equals(one.Options.Name, name, StringComparison.OrdinalIgnoreCase));

    private static ProblemHttpResult Unknown(UpstreamPuller puller, string name) =>
        Problem.Of(
            ProblemTypes.UpstreamUnknown,
            puller.Upstreams.Count == 0
                ? "No upstream is configured."
                : $"No upstream is called '{Problem.Quote(name)}'; there are {string.Join(", ", puller.Upstreams.Select(one => one.Options.Name))}."
        );

    private static partial class Log
    {
        [LoggerMessage(
            1735,
            LogLevel.Information,
            "{By} decided for the files that upstream {Upstream} does not have any more: {Decision}; {Files} files, {Removed} of them removed"
        )]
        public static partial void Decided(
            ILogger logger,
            string by,
            KeptDecision decision,
            string upstream,
            int files,
            int removed
        );

        [LoggerMessage(1736, LogLevel.Information, "{By} asked for a comparison with upstream {Upstream}: {Depth}")]
        public static partial void Compares(ILogger logger, string by, ComparisonDepth depth, string upstream);
    }
}
