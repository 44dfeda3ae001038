using FileTransfer.Cluster;

namespace FileTransfer.Feed.Pull;

/// <summary>The feed over HTTP, for clusters that do not share the database.</summary>
public static class SyncRoutes
{
    public static void MapSync(this IEndpointRouteBuilder routes)
    {
        var sync = routes
            .MapGroup("")
            .RequireAuthorization(AccessScopes.Node)
            .WithTags("Sync")
            .ProducesProblems(ProblemTypes.BadRequest, ProblemTypes.ClusterSame);
        sync.AddEndpointFilter(RefuseSameClusterAsync).AtMembersOnly();
        sync.MapGet(Routes.Cursors, CursorsAsync)
            .WithSummary("How far each bin of the feed goes; waits for news where it is told what is known")
            .Produces<SyncCursors>()
            .ProducesProblems(ProblemTypes.RequestRunning);
        sync.MapGet(Routes.Bin, BinAsync)
            .WithSummary(
                "Mutations of a bin from a sequence on, with metadata and origin; waits for the first where there is none"
            )
            .Produces<SyncPage>()
            .ProducesProblems(ProblemTypes.RequestRunning, ProblemTypes.FeedCompacted);
        sync.MapSyncSets();
        sync.MapDelete(Routes.SyncRequest, Cancel)
            .WithSummary("Ends the wait of a request that the same peer has named: it answers what it has")
            .ProducesProblems(ProblemTypes.RequestUnknown, ProblemTypes.RequestOfAnother);
    }

    /// <summary>Of two clusters that have one id, nobody could tell whose a mutation is.</summary>
    private static async ValueTask<object?> RefuseSameClusterAsync(
        EndpointFilterInvocationContext context,
        EndpointFilterDelegate next
    )
    {
        var http = context.HttpContext;
        var here = http.RequestServices.GetRequiredService<ThisNode>().ClusterId;
        return http.Request.Headers[NodeHeader.Cluster] == here
            ? Problem.Of(
                ProblemTypes.ClusterSame,
                $"This node is of a cluster '{here}' too, and the ids of clusters that meet must differ; rename one."
            )
            : await next(context);
    }

    /// <param name="after" example="5,0,12,9,4,0,7,1,3,3,8,2,6,10,4,11">The 16 cursors that are known, by bin: the answer waits for others.</param>
    /// <param name="buckets" example="0x22,0x33">Whose files the digests are of, separated by commas; of all when left out.</param>
    /// <param name="wait" example="60s">For how many seconds the answer waits, 0 to 60; 0 when left out.</param>
    private static async Task<IResult> CursorsAsync(
        string? after,
        string? buckets,
        string? wait,
        SyncWait waits,
        HttpContext context
    )
    {
        if (!SyncQuery.TryParseBuckets(buckets, out var ofBuckets, out var fault))
        {
            return fault;
        }

        long[]? known = null;
        if (after is not null && (known = Parse(after)) is null)
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"after={Problem.Quote(after)} is malformed; write the {FeedPage.Bins} cursors by bin, separated by commas."
            );
        }

        return await waits.RunAsync(
            context,
            wait,
            (feed, news, token) => feed.CursorsAsync(ofBuckets, news, token),
            cursors => known is null || !cursors.Bins.Select(bin => bin.Head).SequenceEqual(known),
            (cursors, node) => TypedResults.Json(OfferWriting.Of(cursors, node.ClusterId), WireJson.Default.SyncCursors)
        );
    }

    /// <param name="bin" example="7">0 to 15: the first hex digit of the keys in it.</param>
    /// <param name="from" example="101">The first sequence, from 1.</param>
    /// <param name="to" example="350">The last sequence; the newest there is when left out.</param>
    /// <param name="limit" example="250">1 to 1000; 250 when left out. Fewer may come.</param>
    /// <param name="bucket" example="0x22,0x33">Whose files the digest is of, separated by commas; of all when left out.</param>
    /// <param name="wait" example="30s">For how many seconds the answer waits for the first mutation, 0 to 60; 0 when left out.</param>
    private static async Task<IResult> BinAsync(
        int bin,
        long from,
        long? to,
        int? limit,
        string? bucket,
        string? wait,
        SyncWait waits,
        HttpContext context
    )
    {
        var fault =
            from < 1 ? $"from={from} is out of range; write 1 or more."
            : to < from ? $"to={to} is below from={from}."
            : SyncQuery.FaultOf(bin, limit);
        if (fault is not null)
        {
            return Problem.Of(ProblemTypes.BadRequest, fault);
        }

        if (!SyncQuery.TryParseBuckets(bucket, out var buckets, out var malformed))
        {
            return malformed;
        }

        return await waits.RunAsync(
            context,
            wait,
            (feed, news, token) =>
                feed.ReadAsync((short)bin, from, to ?? long.MaxValue, limit ?? SyncQuery.PageSize, buckets, news, token),
            // Whoever asks for more than the next one knows of a longer history than this.
            offered => offered.Page.Mutations.Count > 0 || from != offered.Head + 1,
            (offered, _) =>
                from < offered.RetainedFrom
                    ? Problem.Of(
                        ProblemTypes.FeedCompacted,
                        $"Bin {bin} is kept from sequence {offered.RetainedFrom} on; what came before is in the set of files.",
                        ("retainedFrom", offered.RetainedFrom)
                    )
                    : TypedResults.Json(OfferWriting.Of(offered, from), WireJson.Default.SyncPage)
        );
    }

    /// <param name="id" example="3f0c5a52-b1d9-4c3c-9d6e-2a7f00c1e5b4">As the request named itself.</param>
    private static Results<NoContent, ProblemHttpResult> Cancel(string id, SyncRequests requests, HttpContext context) =>
        requests.Cancel(id, SyncWait.PeerOf(context)) switch
        {
            CancelOutcome.Cancelled => TypedResults.NoContent(),
            CancelOutcome.Unknown => Problem.Of(
                ProblemTypes.RequestUnknown,
                $"No request '{Problem.Quote(id)}' is running; it has been answered, or was sent to another node."
            ),
            _ => Problem.Of(
                ProblemTypes.RequestOfAnother,
                $"The request '{Problem.Quote(id)}' was sent by another peer; only that one may end it."
            ),
        };

    private static long[]? Parse(string cursors)
    {
        var parts = cursors.Split(',');
        var parsed = new long[FeedPage.Bins];
        return
            parts.Length == parsed.Length
            && parts
                .Index()
                .All(part => long.TryParse(part.Item, NumberStyles.None, CultureInfo.InvariantCulture, out parsed[part.Index]))
            ? parsed
            : null;
    }
}
